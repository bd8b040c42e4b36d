"use client";
import { useQueryClient } from "@tanstack/react-query";
import { Monitor, Moon, Sun } from "lucide-react";
import { failed } from "@/features/deployments/queries";
import { keys } from "@/lib/cache";
import { http, type Session } from "@/lib/http";
import { Teams } from "@/features/teams/teams";
import { apply, useTheme, type Theme } from "@/lib/theme";
import { Button } from "@/ui/button";
import { Choice } from "@/ui/field";
import { Head } from "@/ui/head";
import { When } from "@/ui/small";
import { Card, Facts, Section, Skeleton, Tag } from "@/ui/surface";
import { Linked } from "./elsewhere";
import { useMe, useSessions } from "./queries";
import { Password, SecondFactor } from "./security";
import { Tokens } from "./tokens";

export function Settings() {
  return (
    <>
      <Head title="Settings" name="Settings" />
      <div className="max-w-3xl space-y-8">
        <Profile />
        <Password />
        <SecondFactor />
        <Linked />
        <Sessions />
        <Tokens />
        <Teams />
        <Appearance />
      </div>
    </>
  );
}

function Profile() {
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

function Appearance() {
  return (
    <Section id="appearance" title="Appearance" note="Kept in this browser.">
      <Card className="flex p-5">
        <Choice label="Theme" value={useTheme()} onChange={apply} options={themes} />
      </Card>
    </Section>
  );
}

function Sessions() {
  const rows = useSessions().data?.items;
  return (
    <Section
      id="sessions"
      title="Where you are signed in"
      note="One you do not know? End it, and change your password."
    >
      <Card className="divide-y divide-line">
        {rows?.map((row) => <Row key={row.id} of={row} />) ?? <Skeleton className="m-5 h-16" />}
      </Card>
    </Section>
  );
}

function Row({ of }: { of: Session }) {
  const client = useQueryClient();
  const end = async () => {
    try {
      await http.DELETE("/auth/sessions/{session_id}", { params: { path: { session_id: of.id } } });
      await client.invalidateQueries({ queryKey: keys.sessions });
    } catch (error) {
      failed(error as Error);
    }
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="truncate font-medium" title={of.user_agent}>
          {device(of.user_agent)}
        </p>
        <p className="text-xs text-muted">
          {of.address} · used <When at={of.used_at} /> · signed in <When at={of.created_at} />
        </p>
      </div>
      {of.current ? (
        <Tag>this one</Tag>
      ) : (
        <Button
          size="sm"
          onClick={() => void end()}
          aria-label={`End the session of ${device(of.user_agent)}`}
        >
          End
        </Button>
      )}
    </div>
  );
}

/** Enough to recognise it; the whole text is on hover. */
export function device(agent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari|autostack|curl|python)[a-z-]*\/?([\d]+)?/i.exec(
    agent,
  );
  const names: Record<string, string> = {
    edg: "Edge",
    opr: "Opera",
    autostack: "The autostack command",
  };
  const found = browser?.[1];
  const system = /(Windows|Macintosh|Android|iPhone|iPad|Linux)/
    .exec(agent)?.[1]
    ?.replace("Macintosh", "Mac");
  if (!found) return agent || "Unknown";
  return [names[found.toLowerCase()] ?? found, system && `on ${system}`].filter(Boolean).join(" ");
}
