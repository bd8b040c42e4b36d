"use client";
import { SearchX } from "lucide-react";
import Link from "next/link";
import { useMe } from "@/features/accounts/queries";
import type { OwnTeam } from "@/lib/http";
import { useIds } from "@/lib/route";
import { buttonClass } from "@/ui/button";
import { Empty, Loading, Section, Skeleton } from "@/ui/surface";
import { Members } from "./members";

/** One team of the reader's: who is in it, and as what. */
export function TeamPage() {
  const [id] = useIds("teams");
  const teams = useMe().data?.teams;
  const team = teams?.find((one) => one.id === id);
  if (team) return <Shown team={team} />;
  if (!teams || !id)
    return (
      <Loading label="Loading the team">
        <Skeleton className="h-40 w-full rounded-xl" />
      </Loading>
    );
  return (
    <Empty icon={SearchX} title="No such team" action={<All />}>
      It may have been deleted, or you are not in it.
    </Empty>
  );
}

const All = () => (
  <Link href="/settings/teams" prefetch={false} className={buttonClass("secondary", "sm")}>
    All teams
  </Link>
);

const Shown = ({ team }: { team: OwnTeam }) => (
  <Section
    id="members"
    title={team.name}
    note={
      team.personal
        ? "Yours alone. Projects that others shall see belong into another team."
        : `You are ${team.role} of it. Its members see its projects, and act on them as their role says.`
    }
    action={<All />}
  >
    {!team.personal && <Members team={team} />}
  </Section>
);
