"use client";
import type { ReactNode } from "react";
import { Head } from "@/ui/head";
import { Tabs, usePages } from "@/ui/tabs";

const PAGES = [
  ["/settings", "Profile"],
  ["/settings/security", "Security"],
  ["/settings/tokens", "API tokens"],
  ["/settings/teams", "Teams"],
  ["/settings/about", "About"],
] as const;

/** What all pages of the settings share. */
export function SettingsFrame({ children }: { children: ReactNode }) {
  const { current, tabs } = usePages(PAGES);
  return (
    <>
      <Head title="Settings" name={`Settings ${current[1]}`} />
      <Tabs label="Settings" tabs={tabs} />
      <div className="max-w-3xl space-y-8">{children}</div>
    </>
  );
}
