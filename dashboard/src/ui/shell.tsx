"use client";
import clsx from "clsx";
import {
  Boxes,
  HardDrive,
  History,
  Keyboard,
  LogOut,
  Monitor,
  Moon,
  Rocket,
  Search,
  Settings,
  Sun,
  WifiOff,
  type LucideIcon,
} from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { signOut, useMe } from "@/features/accounts/queries";
import { isDoor } from "@/lib/doors";
import { Live, useLink } from "@/lib/live";
import { useHydrated } from "@/lib/route";
import { apply, useTheme, type Theme } from "@/lib/theme";
import { Button } from "./button";
import { Commands } from "./commands";
import { Logo } from "./logo";
import { openPalette, showKeys } from "./open";
import { Menu } from "./overlay";
import { Kbd } from "./small";

/** Milliseconds after which a page has usually shown what it is for. */
const LATER = 3000;

const pages: [string, string, LucideIcon][] = [
  ["/", "Projects", Boxes],
  ["/deployments", "Deployments", Rocket],
  ["/activity", "Activity", History],
  ["/server", "Server", HardDrive],
  ["/settings", "Settings", Settings],
];

const isCurrent = (path: string, href: string) =>
  href === "/" ? path === "/" || path.startsWith("/projects") : path.startsWith(href);

/** What opens later is there when it is asked for, and in the way of nothing. */
function useLater() {
  useEffect(() => {
    const timer = setTimeout(() => {
      // Without them nothing is lost: whatever opens asks for them again.
      import("./palette").catch(() => undefined);
    }, LATER);
    return () => clearTimeout(timer);
  }, []);
}

export function Shell({ children }: { children: ReactNode }) {
  const path = usePathname();
  useLater();
  if (isDoor(path)) return children;
  return (
    <Live>
      <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
        <a
          href="#main"
          className="sr-only z-50 rounded-lg bg-accent px-3 py-2 text-accent-fg focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
        >
          Skip to content
        </a>
        <Side />
        <main
          id="main"
          tabIndex={-1}
          className="mx-auto w-full max-w-6xl min-w-0 px-4 pt-6 pb-24 outline-none sm:px-6 lg:px-8 lg:pt-8 lg:pb-12"
        >
          <Offline />
          {children}
        </main>
      </div>
      <Commands />
    </Live>
  );
}

function Side() {
  return (
    <header className="sticky top-0 z-30 flex items-center gap-1 border-b border-line bg-panel px-4 max-lg:h-14 lg:h-dvh lg:flex-col lg:items-stretch lg:border-r lg:border-b-0 lg:p-3">
      <Link
        href="/"
        className="rounded-lg py-1 lg:mb-3 lg:px-2 lg:pt-2"
        aria-label="AutoStack, all projects"
      >
        <Logo />
      </Link>
      <button
        type="button"
        onClick={openPalette}
        aria-keyshortcuts="Control+K Meta+K"
        className="mb-3 flex h-9 cursor-pointer items-center gap-2 rounded-lg border border-line bg-raised px-2.5 text-[13px] text-muted hover:border-line-strong hover:text-fg max-lg:hidden"
      >
        <Search className="size-4" aria-hidden />
        Go to …
        <span className="ml-auto" aria-hidden>
          <Kbd>Ctrl K</Kbd>
        </span>
      </button>
      <Pages />
      <div className="ml-auto flex items-center gap-1.5 lg:mt-auto lg:ml-0 lg:border-t lg:border-line lg:px-1 lg:pt-3">
        <LinkState />
        <span className="ml-auto" />
        <Button
          variant="ghost"
          size="icon"
          aria-label="Search"
          className="lg:hidden"
          onClick={openPalette}
        >
          <Search />
        </Button>
        <ThemeButton />
        <Account />
      </div>
    </header>
  );
}

function Pages() {
  const path = usePathname();
  const ready = useHydrated();
  const me = useMe().data;
  const shown = pages.filter(([href]) => href !== "/server" || me?.is_admin);
  return (
    <nav
      aria-label="Main"
      className="max-lg:fixed max-lg:inset-x-0 max-lg:bottom-0 max-lg:border-t max-lg:border-line max-lg:bg-panel max-lg:pb-[env(safe-area-inset-bottom)]"
    >
      <ul className="flex max-lg:justify-around lg:flex-col lg:gap-0.5">
        {shown.map(([href, label, Icon]) => {
          const current = ready && isCurrent(path, href);
          return (
            <li key={href} className="max-lg:flex-1">
              <Link
                href={href}
                aria-current={current ? "page" : undefined}
                className={clsx(
                  "flex items-center gap-2.5 font-medium -outline-offset-2 transition-colors max-lg:h-14 max-lg:flex-col max-lg:justify-center max-lg:gap-1 max-lg:text-[11px] lg:h-9 lg:rounded-lg lg:px-2.5",
                  current
                    ? "text-accent-text max-lg:shadow-[inset_0_2px_var(--accent)] lg:bg-accent-soft"
                    : "text-muted hover:bg-hover hover:text-fg",
                )}
              >
                <Icon className="size-[18px]" strokeWidth={1.9} aria-hidden />
                {label}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

const themes: Record<Theme, [string, LucideIcon]> = {
  system: ["As the system", Monitor],
  light: ["Light", Sun],
  dark: ["Dark", Moon],
};

function ThemeButton() {
  const theme = useTheme();
  const Icon = themes[theme][1];
  return (
    <Menu
      label={`Theme: ${themes[theme][0].toLowerCase()}`}
      trigger={
        <Button variant="ghost" size="icon">
          <Icon aria-hidden />
        </Button>
      }
      entries={(Object.keys(themes) as Theme[]).map((one) => ({
        label: themes[one][0],
        icon: themes[one][1],
        onClick: () => apply(one),
      }))}
    />
  );
}

function Account() {
  const me = useMe().data;
  return (
    <Menu
      label="Account"
      trigger={
        <button
          type="button"
          className="grid size-8 cursor-pointer place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent-text"
        >
          {me?.email[0]?.toUpperCase() ?? ""}
        </button>
      }
      entries={[
        { label: me?.email ?? "Account", onClick: () => undefined, disabled: true },
        "-",
        { label: "Keyboard", icon: Keyboard, onClick: showKeys },
        { label: "Sign out", icon: LogOut, onClick: () => void signOut() },
      ]}
    />
  );
}

function LinkState() {
  const link = useLink();
  const live = link === "live";
  return (
    <span role="status" className="text-xs">
      {live ? (
        <span className="flex items-center gap-2 px-1 text-muted">
          <span className="size-1.5 rounded-full bg-ok ring-3 ring-ok/20" aria-hidden />
          <span>Live</span>
          <span className="sr-only">: changes appear by themselves</span>
        </span>
      ) : link === "lost" ? (
        <span className="flex items-center gap-1.5 text-warn">
          <WifiOff className="size-3.5" aria-hidden />
          <span className="max-sm:sr-only">Reconnecting…</span>
        </span>
      ) : null}
    </span>
  );
}

function Offline() {
  if (useLink() !== "lost") return null;
  return (
    <p className="mb-4 rounded-lg border border-warn/30 bg-warn-soft px-3 py-2 text-[13px]">
      The server does not answer. What you see may be old; it is asked again by itself. Deployed
      apps do not depend on it.
    </p>
  );
}
