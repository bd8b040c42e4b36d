import clsx from "clsx";
import Link from "next/link";
import { usePathname } from "next/navigation";

export interface Tab {
  href: string;
  label: string;
  current: boolean;
}

type PageOf = readonly [href: string, label: string, note?: string];

/** Which of these pages is open; all addresses are below the first one. */
export function usePages(pages: readonly PageOf[]): { current: PageOf; tabs: Tab[] } {
  const path = usePathname();
  const current = pages.findLast(([href]) => path.startsWith(href)) ?? pages[0]!;
  const tabs = pages.map((page) => ({ href: page[0], label: page[1], current: page === current }));
  return { current, tabs };
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
