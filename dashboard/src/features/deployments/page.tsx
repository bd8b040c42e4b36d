"use client";
import { ArrowUpRight, CircleStop, RotateCw, SearchX } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useState } from "react";
import { LogView } from "@/features/logs/view";
import { useOverview } from "@/features/projects/queries";
import { useRefusal } from "@/features/teams/refusal";
import { commitUrl, firstLine, seconds, span } from "@/lib/format";
import { ApiError, type Deployment, type DeploymentDetail, type ProjectOverview } from "@/lib/http";
import { useIds } from "@/lib/route";
import { Button, buttonClass } from "@/ui/button";
import { Crumb, Head } from "@/ui/head";
import { useNow, When } from "@/ui/small";
import { Card, Empty, Loading, Skeleton } from "@/ui/surface";
import { Proof, Waiting } from "./outcome";
import { cancel, failed, useDeploy, useDeployment } from "./queries";
import { Badge, isBusy, isWatched, wordOf } from "./status";
import { Steps } from "./steps";
import { stepsOf, titleOf, tookOf, usually } from "./words";

// Most deployments do not fail: what is said then is loaded then.
const Failure = dynamic(() => import("./failure").then((part) => part.Failure), {
  ssr: false,
  loading: () => <Skeleton className="mb-5 h-28 w-full rounded-xl" />,
});

export function DeploymentPage() {
  const [project, id] = useIds("projects", "deployments");
  const { data: one, error } = useDeployment(id);
  const now = useOverview(project).data;
  if (error) return <Missing error={error} project={project} />;
  if (!one) return <Waits />;
  return <Shown key={one.id} one={one} now={now} />;
}

interface Known {
  one: DeploymentDetail;
  now?: ProjectOverview;
}

function Shown({ one, now }: Known) {
  const project = now?.project.name ?? "Project";
  return (
    <>
      <Head
        name={project}
        state={`${wordOf(one.status)} #${one.number}`}
        trail={
          <>
            <Crumb href="/">Projects</Crumb>
            <Crumb href={`/projects/${one.project_id}`}>{project}</Crumb>
            <Crumb href={`/projects/${one.project_id}/deployments`}>Deployments</Crumb>
            <span aria-current="page">#{one.number}</span>
          </>
        }
        title={titleOf(one)}
        badge={<Badge of={one.status} />}
        note={<About one={one} now={now} />}
        actions={<Actions one={one} now={now} />}
      />
      <Announce one={one} />
      <Card className="mb-5 p-5">
        <Steps of={one} />
      </Card>
      <Waiting of={one} />
      {one.status === "failed" && <Failure of={one} />}
      <Proof of={one} />
      <LogView
        label="Log of the deployment"
        url={`/deployments/${one.id}/logs?until=settled&batch=true`}
        name={`${project}-${one.number}`}
      />
    </>
  );
}

function About({ one, now }: Known) {
  const address = one.commit_sha && commitUrl(one.repo_url, one.commit_sha);
  const sha = one.commit_sha?.slice(0, 7);
  return (
    <p className="flex flex-wrap items-center gap-x-2">
      {sha &&
        (address ? (
          <a
            href={address}
            target="_blank"
            rel="noreferrer"
            className="font-mono text-[13px] underline decoration-line-strong underline-offset-2 hover:text-fg"
          >
            {sha}
          </a>
        ) : (
          <span className="font-mono text-[13px]">{sha}</span>
        ))}
      {one.branch && <span>on {one.branch}</span>}
      {one.commit_author && <span>by {firstLine(one.commit_author)}</span>}
      <span>into {one.environment}</span>
      <span aria-hidden>·</span>
      <When at={one.created_at} />
      <Took one={one} others={now?.recent ?? []} />
    </p>
  );
}

/** How long it took; while it runs, how long such a one usually takes. */
function Took({ one, others }: { one: DeploymentDetail; others: Deployment[] }) {
  const busy = isBusy(one);
  const now = useNow(busy);
  const usual = usually(others, one);
  if (!one.started_at) return null;
  if (!busy) return <span>· took {span(tookOf(one))}</span>;
  return (
    <span className="tabular-nums">
      · {span(seconds(one.started_at, null, now))}
      {usual != null && ` of usually ${span(usual)}`}
    </span>
  );
}

function Actions({ one, now }: Known) {
  const deploy = useDeploy();
  const place = now?.environments.find(({ environment }) => environment.id === one.environment_id);
  const refused = useRefusal(now?.project.team_id)("act", place?.environment);
  const [canceling, setCanceling] = useState(false);
  const stop = () => {
    setCanceling(true);
    cancel(one.id).catch((error: Error) => {
      setCanceling(false);
      failed(error);
    });
  };
  const wanted = {
    project: one.project_id,
    environment: one.environment,
    branch: one.branch ?? undefined,
  };
  return (
    <>
      {one.url && one.status === "success" && one.kind !== "stop" && (
        <a className={buttonClass()} href={`http://${one.url}/`} target="_blank" rel="noreferrer">
          Visit
          <ArrowUpRight aria-hidden />
        </a>
      )}
      {isBusy(one) ? (
        <Button busy={canceling || !!one.cancel_requested_at} refused={refused} onClick={stop}>
          {!canceling && <CircleStop aria-hidden />}
          Cancel
        </Button>
      ) : (
        !one.upload && (
          <Button
            variant="primary"
            busy={deploy.isPending}
            refused={refused}
            onClick={() => deploy.mutate(wanted)}
          >
            {!deploy.isPending && <RotateCw aria-hidden />}
            Deploy again
          </Button>
        )
      )}
    </>
  );
}

/** For those who do not see the page change. */
function Announce({ one }: { one: DeploymentDetail }) {
  const active = stepsOf(one).find((step) => step.state === "active");
  const text = isBusy(one)
    ? active
      ? `${active.label} is running`
      : "Waiting"
    : isWatched(one)
      ? "It serves and is being watched"
      : `The deployment ended: ${wordOf(one.status)}`;
  return (
    <p role="status" className="sr-only">
      {text}
    </p>
  );
}

function Missing({ error, project }: { error: Error; project?: string }) {
  const gone = error instanceof ApiError && error.status < 500 && error.status > 0;
  return (
    <Empty
      alone
      icon={SearchX}
      title={gone ? "No such deployment" : "The deployment could not be loaded"}
      action={
        <Link href={project ? `/projects/${project}` : "/"} className={buttonClass("primary")}>
          To the project
        </Link>
      }
    >
      {gone ? "It may belong to a project that was deleted, or to another team." : error.message}
    </Empty>
  );
}

const Waits = () => (
  <Loading alone label="Loading the deployment">
    <Skeleton className="h-4 w-48" />
    <Skeleton className="mt-3 h-8 w-80 max-w-full" />
    <Skeleton className="mt-3 h-4 w-60" />
    <Skeleton className="mt-7 h-24 w-full rounded-xl" />
    <Skeleton className="mt-5 h-96 w-full rounded-xl" />
  </Loading>
);
