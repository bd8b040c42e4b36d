"use client";
import clsx from "clsx";
import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { useEffect, type ReactNode } from "react";

const SHORT = 12;

/** Of names that are too long together, the longest is cut and not the words around it. */
export const Crumb = ({ href, children }: { href: string; children: string }) => (
  <>
    <Link
      href={href}
      prefetch={false}
      className={clsx(
        "rounded leading-6 hover:text-fg hover:underline",
        children.length > SHORT ? "truncate" : "shrink-0",
      )}
    >
      {children}
    </Link>
    <ChevronRight className="size-3.5 shrink-0 text-faint" aria-hidden />
  </>
);

/** Of the window, for those who look for it in another tab. */
export function Title({ of }: { of: string }) {
  useEffect(() => {
    document.title = of;
  }, [of]);
  return null;
}

/** The top of a page. `state` goes in front of the window's title, for those in another tab. */
export function Head(props: {
  trail?: ReactNode;
  title: ReactNode;
  name: string;
  state?: string;
  badge?: ReactNode;
  actions?: ReactNode;
  note?: ReactNode;
}) {
  return (
    <header className="mb-6">
      <Title of={[props.state, props.name, "AutoStack"].filter(Boolean).join(" · ")} />
      {props.trail && (
        <nav
          aria-label="Breadcrumb"
          className="mb-2 flex min-w-0 items-center gap-1.5 text-[13px] whitespace-nowrap text-muted"
        >
          {props.trail}
        </nav>
      )}
      <div className="flex flex-wrap items-center gap-3">
        <h1 className="min-w-0 text-[22px] leading-8 font-semibold tracking-tight [overflow-wrap:anywhere]">
          {props.title}
        </h1>
        {props.badge}
        <div className="ml-auto flex flex-wrap gap-2">{props.actions}</div>
      </div>
      {props.note && <div className="mt-1 text-muted">{props.note}</div>}
    </header>
  );
}
