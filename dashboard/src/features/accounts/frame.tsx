"use client";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { Head } from "@/ui/head";
import { Tabs } from "@/ui/tabs";

const PAGES = [
  ["/settings", "Profile"],
  ["/settings/security", "Security"],
  ["/settings/tokens", "API tokens"],
  ["/settings/teams", "Teams"],
  ["/settings/about", "About"],
] as const;

/** What all pages of the settings share. */
export function SettingsFrame({ children }: { children: ReactNode }) {
  const path = usePathname();
  const [current, label] = PAGES.findLast(([href]) => path.startsWith(href)) ?? PAGES[0];
  return (
    <>
      <Head title="Settings" name={`Settings ${label}`} />
      <Tabs
        label="Settings"
        tabs={PAGES.map(([href, name]) => ({ href, label: name, current: href === current }))}
      />
      <div className="max-w-3xl space-y-8">{children}</div>
    </>
  );
}
