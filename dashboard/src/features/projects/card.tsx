"use client";
import { GitBranch, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { titleOf } from "@/features/deployments/words";
import { Badge, isBusy } from "@/features/deployments/status";
import { compact, repository } from "@/lib/format";
import type { ProjectNow } from "@/lib/http";
import { Glyph, Spark, When } from "@/ui/small";
import { Card, Tag } from "@/ui/surface";
import { lagsBehind, siteOf, stateOf } from "./queries";

/** A project at a glance: does it serve, what came last, how many visit. */
export function ProjectCard({ now }: { now: ProjectNow }) {
  const router = useRouter();
  const { project } = now;
  const place = now.environments[0];
  const state = stateOf(place);
  const href = `/projects/${project.id}`;
  const warm = () => router.prefetch(href);
  return (
    <li className="min-w-0">
      <Card className="relative flex h-full min-h-45 flex-col p-4 transition-[border-color,box-shadow] hover:border-line-strong hover:shadow-md">
        <div className="flex items-start gap-3">
          <Glyph name={project.name} />
          <div className="-mt-1 min-w-0 flex-1">
            <h2 className="font-semibold">
              <Link
                href={href}
                prefetch={false}
                onMouseEnter={warm}
                onFocus={warm}
                className="block truncate leading-6 after:absolute after:inset-0 after:rounded-xl focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:outline-accent"
              >
                {project.name}
              </Link>
            </h2>
            {place?.serving && state !== "stopped" ? (
              <a
                href={siteOf(place)}
                className="relative z-10 block truncate tabular-nums text-[13px] leading-6 text-muted hover:text-fg hover:underline"
                target="_blank"
                rel="noreferrer"
              >
                {place.environment.url}
              </a>
            ) : (
              <p className="truncate text-[13px] leading-6 text-muted">
                {repository(project.repo_url)}
              </p>
            )}
          </div>
          <Badge of={state} />
        </div>
        <Last now={now} />
        <div className="mt-auto flex min-h-10 items-end justify-between gap-4 pt-4">
          <div className="flex flex-wrap gap-1.5">
            {project.framework && <Tag>{project.framework}</Tag>}
            {now.environments.slice(1, 3).map((one) => (
              <Tag key={one.environment.id}>{one.environment.name}</Tag>
            ))}
          </div>
          <Visits requests={now.requests} />
        </div>
      </Card>
    </li>
  );
}

function Last({ now }: { now: ProjectNow }) {
  const place = now.environments[0];
  const latest = place?.latest;
  if (!latest) return <p className="mt-4 text-[13px] text-muted">Nothing was deployed yet.</p>;
  return (
    <div className="mt-4 min-w-0">
      <p className="truncate text-[13px]">{titleOf(latest)}</p>
      {lagsBehind(place) ? (
        <p className="mt-0.5 flex items-center gap-1.5 text-xs text-bad">
          <TriangleAlert className="size-3.5 shrink-0" aria-hidden />
          <span className="truncate">
            It failed <When at={latest.created_at} />; the one before serves
          </span>
        </p>
      ) : (
        <p className="mt-0.5 flex items-center gap-1.5 text-xs text-muted">
          <GitBranch className="size-3.5 shrink-0" aria-hidden />
          <span className="truncate">
            {latest.branch && `${latest.branch} · `}
            {isBusy(latest) ? "now" : <When at={latest.created_at} />}
            {latest.commit_author && ` · ${latest.commit_author}`}
          </span>
        </p>
      )}
    </div>
  );
}

function Visits({ requests }: { requests: number[] }) {
  const sum = requests.reduce((total, hour) => total + hour, 0);
  if (!sum) return null;
  return (
    <div className="shrink-0 text-right">
      <Spark values={requests} className="ml-auto h-6 w-20" />
      <p className="text-[11px] text-muted tabular-nums">{compact(sum)} requests / day</p>
    </div>
  );
}
