"use client";
import { GitCommitHorizontal, Rocket, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { span } from "@/lib/format";
import type { Deployment } from "@/lib/http";
import { useHydrated } from "@/lib/route";
import { Button } from "@/ui/button";
import { More } from "@/ui/more";
import { When } from "@/ui/small";
import { Card, Empty, Loading, Skeleton, Tag } from "@/ui/surface";
import { useDeployments } from "./pages";
import { deploymentPath } from "./queries";
import { Badge } from "./status";
import { titleOf, tookOf } from "./words";

export function Row({ of, project }: { of: Deployment; project?: string }) {
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 transition-colors hover:bg-hover/60">
      <div className="flex w-full shrink-0 items-center justify-between text-xs text-muted tabular-nums sm:w-32">
        <Badge of={of.status} />
        <span className="sm:hidden">
          {of.finished_at && `${span(tookOf(of))} · `}
          <When at={of.created_at} />
        </span>
      </div>
      <div className="min-w-0 flex-1 basis-56">
        <Link
          href={deploymentPath(of)}
          prefetch={false}
          className="block truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
        >
          {project && <span>{project} </span>}
          <span className="text-muted">#{of.number}</span> {titleOf(of)}
        </Link>
        <p className="flex min-w-0 items-center gap-1.5 text-xs text-muted">
          {of.commit_sha && (
            <>
              <GitCommitHorizontal className="size-3.5 shrink-0" aria-hidden />
              <span className="font-mono">{of.commit_sha.slice(0, 7)}</span>
              <span aria-hidden>·</span>
            </>
          )}
          <span className="truncate">
            {[of.branch, of.commit_author].filter(Boolean).join(" · ") || of.kind}
          </span>
          {of.environment !== "production" && <Tag>{of.environment}</Tag>}
        </p>
      </div>
      <p className="text-right text-xs text-muted tabular-nums max-sm:hidden">
        {of.finished_at ? span(tookOf(of)) : "\u00a0"}
        <br />
        <When at={of.created_at} />
      </p>
    </li>
  );
}

const Lines = () => (
  <Loading label="Loading deployments">
    <Card className="divide-y divide-line">
      {[0, 1, 2, 3, 4].map((line) => (
        <div key={line} className="flex h-[61px] items-center gap-4 px-4">
          <Skeleton className="h-6 w-24" />
          <Skeleton className="h-4 w-2/5" />
        </div>
      ))}
    </Card>
  </Loading>
);

/** Deployments, newest first: of one project, or of all. */
export function DeploymentList({
  project,
  names,
}: {
  project?: string;
  names?: Map<string, string>;
}) {
  const ready = useHydrated();
  const list = useDeployments(project, ready);
  const { data, error, refetch } = list;
  if (error)
    return (
      <Empty
        icon={TriangleAlert}
        title="Deployments could not be loaded"
        action={<Button onClick={() => refetch()}>Try again</Button>}
      >
        {error.message}
      </Empty>
    );
  if (!data) return <Lines />;
  const rows = data.pages.flatMap((page) => page.items);
  if (!rows.length)
    return (
      <Empty icon={Rocket} title="Nothing was deployed yet">
        A deployment is one attempt to bring a commit into an environment. It appears here with each
        of its steps.
      </Empty>
    );
  return (
    <>
      <Card className="overflow-hidden">
        <ul className="divide-y divide-line" aria-label="Deployments">
          {rows.map((row) => (
            <Row key={row.id} of={row} project={names?.get(row.project_id)} />
          ))}
        </ul>
      </Card>
      <More of={list} label="Older deployments" />
    </>
  );
}
