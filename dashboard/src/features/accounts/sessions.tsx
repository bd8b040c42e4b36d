"use client";
import { useQueryClient } from "@tanstack/react-query";
import { failed } from "@/features/deployments/queries";
import { keys } from "@/lib/cache";
import { http, type Session } from "@/lib/http";
import { Button } from "@/ui/button";
import { When } from "@/ui/small";
import { Card, Section, Skeleton, Tag } from "@/ui/surface";
import { useSessions } from "./queries";

export function Sessions() {
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
