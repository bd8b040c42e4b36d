"use client";
import { Lock } from "lucide-react";
import type { ReactNode } from "react";
import { useMe } from "@/features/accounts/queries";
import { Head } from "@/ui/head";
import { Tabs, usePages } from "@/ui/tabs";
import { Empty } from "@/ui/surface";

const PAGES = [
  ["/server", "Disk", "What the machine under this platform holds."],
  ["/server/users", "Users", "Everybody who has an account here."],
  ["/server/limits", "Limits", "What bounds people on this platform, as it is in force."],
] as const;

/** What all pages of administrators share. For others there is nothing on them: the API says so too. */
export function ServerFrame({ children }: { children: ReactNode }) {
  const me = useMe().data;
  const { current, tabs } = usePages(PAGES);
  const [, label, note] = current;
  return (
    <>
      <Head title="Server" name={`Server ${label}`} note={note} />
      {me?.is_admin && (
        <>
          <Tabs label="Server" tabs={tabs} />
          {children}
        </>
      )}
      {me && !me.is_admin && (
        <Empty icon={Lock} title="For the administrators">
          Only the administrators of this server see its disk, everybody’s accounts and its limits.
        </Empty>
      )}
    </>
  );
}
