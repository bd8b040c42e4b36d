import clsx from "clsx";
import Link from "next/link";

export interface Tab {
  href: string;
  label: string;
  current: boolean;
}

/** Pages of one thing, side by side: each has an address of its own. */
export const Tabs = ({ label, tabs }: { label: string; tabs: Tab[] }) => (
  <nav
    aria-label={label}
    className="mb-6 grid grid-cols-3 border-b border-line sm:flex sm:gap-1 sm:overflow-x-auto"
  >
    {tabs.map((tab) => (
      <Link
        key={tab.href}
        href={tab.href}
        prefetch={false}
        aria-current={tab.current ? "page" : undefined}
        className={clsx(
          "-mb-px border-b-2 px-3 py-2 text-[13px] font-medium whitespace-nowrap -outline-offset-2 max-sm:text-center",
          tab.current ? "border-accent text-fg" : "border-transparent text-muted hover:text-fg",
        )}
      >
        {tab.label}
      </Link>
    ))}
  </nav>
);
