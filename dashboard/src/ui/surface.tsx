import clsx from "clsx";
import type { LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { Title as WindowTitle } from "./head";

export const Card = ({ className, ...rest }: ComponentProps<"div">) => (
  <div
    {...rest}
    className={clsx("rounded-xl border border-line bg-panel shadow-card", className)}
  />
);

/** A card with a heading of its own. */
export function Section(props: {
  title: string;
  id: string;
  note?: ReactNode;
  action?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section aria-labelledby={props.id} className={props.className}>
      <div className="mb-3 flex min-h-8 flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div>
          <h2 id={props.id} className="font-semibold">
            {props.title}
          </h2>
          {props.note && <p className="text-[13px] text-muted">{props.note}</p>}
        </div>
        {props.action}
      </div>
      {props.children}
    </section>
  );
}

export const Skeleton = ({ className }: { className?: string }) => (
  <div aria-hidden className={clsx("skeleton", className)} />
);

/** `alone` where it is the whole page. */
export const Loading = (props: { label: string; alone?: boolean; children: ReactNode }) => (
  <>
    {props.alone && <h1 className="sr-only">{props.label}</h1>}
    <div role="status" aria-label={props.label}>
      {props.children}
    </div>
  </>
);

/** `alone` where it is the whole page, and so its title is the page's. */
export function Empty(props: {
  icon: LucideIcon;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  alone?: boolean;
}) {
  const Title = props.alone ? "h1" : "h2";
  return (
    <div className="grid place-items-center rounded-xl border border-dashed border-line-strong px-6 py-14 text-center">
      <div className="mb-4 grid size-12 place-items-center rounded-xl border border-line bg-panel text-muted shadow-card">
        <props.icon className="size-5" aria-hidden />
      </div>
      {props.alone && <WindowTitle of={`${props.title} · AutoStack`} />}
      <Title className="text-base font-semibold">{props.title}</Title>
      <p className="mt-1 mb-5 max-w-md text-muted [overflow-wrap:anywhere]">{props.children}</p>
      {props.action}
    </div>
  );
}

export const Tag = ({ children }: { children: ReactNode }) => (
  <span className="rounded-md bg-raised px-1.5 py-0.5 text-xs text-muted ring-1 ring-line ring-inset">
    {children}
  </span>
);

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="space-y-2 text-[13px]">
      {rows.map(([name, value]) => (
        <div key={name} className="flex min-h-6 items-center justify-between gap-4">
          <dt className="shrink-0 text-muted">{name}</dt>
          <dd className="min-w-0 text-right [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
