"use client";
import { Monitor, Moon, Sun } from "lucide-react";
import { apply, useTheme, type Theme } from "@/lib/theme";
import { Choice } from "@/ui/field";
import { When } from "@/ui/small";
import { Card, Facts, Section, Skeleton } from "@/ui/surface";
import { useMe } from "./queries";

export function Profile() {
  const me = useMe().data;
  return (
    <Section id="profile" title="Account">
      <Card className="p-5">
        {me ? (
          <Facts
            rows={[
              ["E-mail", me.email],
              ["Role", me.is_admin ? "Administrator of this server" : "User"],
              ["Teams", me.teams.map((team) => team.name).join(", ")],
              ["Since", <When key="since" at={me.created_at} />],
            ]}
          />
        ) : (
          <Skeleton className="h-28 w-full" />
        )}
      </Card>
    </Section>
  );
}

const themes: [Theme, React.ReactNode][] = [
  [
    "system",
    <span key="s" className="flex items-center gap-1.5">
      <Monitor className="size-4" aria-hidden />
      As the system
    </span>,
  ],
  [
    "light",
    <span key="l" className="flex items-center gap-1.5">
      <Sun className="size-4" aria-hidden />
      Light
    </span>,
  ],
  [
    "dark",
    <span key="d" className="flex items-center gap-1.5">
      <Moon className="size-4" aria-hidden />
      Dark
    </span>,
  ],
];

export function Appearance() {
  return (
    <Section id="appearance" title="Appearance" note="Kept in this browser.">
      <Card className="flex p-5">
        <Choice label="Theme" value={useTheme()} onChange={apply} options={themes} />
      </Card>
    </Section>
  );
}
