"use client";
import clsx from "clsx";
import { Eye, Info, Lightbulb, ShieldCheck, TriangleAlert, type LucideIcon } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import type { DeploymentDetail } from "@/lib/http";
import { buttonClass } from "@/ui/button";
import { Card } from "@/ui/surface";
import { isBusy } from "./status";
import { diagnosisOf, evidenceOf, verdict, watchOf, type Diagnosis } from "./words";

/** One red box: what broke, the line that proves it, and what to do. */
export function Failure({ of }: { of: DeploymentDetail }) {
  if (of.status !== "failed") return null;
  const why = diagnosisOf(of);
  const cause = why?.summary ?? of.error_message ?? "It failed.";
  const said = of.error_message && of.error_message !== cause ? of.error_message : null;
  const served = !of.release_id || of.watch == null;
  return (
    <section
      aria-label="Why it failed"
      className="mb-5 rounded-xl border border-bad/30 bg-bad-soft p-4"
    >
      <p className="flex items-start gap-2.5 font-medium">
        <TriangleAlert className="mt-0.5 size-4 shrink-0 text-bad" aria-hidden />
        {cause}
      </p>
      <div className="space-y-2 pt-2 pl-6.5 text-[13px]">
        {said && <p className="text-muted">{said}</p>}
        {why?.proof && (
          <pre className="log overflow-x-auto rounded-lg border border-bad/20 bg-term px-3 py-2 font-mono text-[12.5px] whitespace-pre-wrap [overflow-wrap:anywhere]">
            {why.proof}
          </pre>
        )}
        {why?.todo && (
          <p className="flex items-start gap-2">
            <Lightbulb className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden />
            {why.todo}
          </p>
        )}
        <Help why={why} of={of} />
        <p className="text-muted">
          {served
            ? "Nothing changed for visitors: what served before still does."
            : "Traffic went back to the release before by itself."}
        </p>
      </div>
    </section>
  );
}

/** Where the thing to do is done. */
function Help({ why, of }: { why: Diagnosis | null; of: DeploymentDetail }) {
  const name = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b/.exec(why?.summary ?? "")?.[0];
  if (!why?.code.includes("variable") && !name) return null;
  const query = new URLSearchParams({
    environment: of.environment,
    ...(name ? { add: name } : {}),
  });
  return (
    <Link
      href={`/projects/${of.project_id}/variables?${query}`}
      prefetch={false}
      className={buttonClass("secondary", "sm")}
    >
      {name ? `Set ${name}` : "Variables"}
    </Link>
  );
}

/** What the switch cost, and whether the release is as good as the one before. */
export function Proof({ of }: { of: DeploymentDetail }) {
  const evidence = evidenceOf(of);
  const watch = watchOf(of);
  const lost = !!evidence && (evidence.failed > 0 || evidence.visits_failed > 0);
  if (!evidence && !watch && !of.warnings.length) return null;
  return (
    <Card className="mb-5 divide-y divide-line">
      {evidence && (
        <Fact
          icon={lost ? TriangleAlert : ShieldCheck}
          tone={lost ? "text-warn" : "text-ok"}
          title="The switch"
        >
          {evidence.summary}
        </Fact>
      )}
      {watch && (
        <Fact
          icon={Eye}
          tone={
            watch.state === "worse" ? "text-bad" : watch.state === "open" ? "text-info" : "text-ok"
          }
          title={watch.state === "open" ? "Watching" : "The watch"}
        >
          {verdict(watch)}
          {watch.seconds != null && (
            <span className="text-muted"> Watched for {Math.round(watch.seconds)} s.</span>
          )}
        </Fact>
      )}
      {of.warnings.map((warning) => (
        <Fact key={warning} icon={Info} tone="text-warn" title="Good to know">
          {warning}
        </Fact>
      ))}
    </Card>
  );
}

function Fact(props: { icon: LucideIcon; tone: string; title: string; children: ReactNode }) {
  return (
    <div className="flex items-start gap-3 px-5 py-3 text-[13px]">
      <props.icon className={clsx("mt-0.5 size-4 shrink-0", props.tone)} aria-hidden />
      <div className="gap-3 sm:flex">
        <h2 className="w-28 shrink-0 font-medium">{props.title}</h2>
        <p className="[overflow-wrap:anywhere]">{props.children}</p>
      </div>
    </div>
  );
}

/** Where it stands in the line of builds, and why it waits. */
export function Waiting({ of }: { of: DeploymentDetail }) {
  if (!isBusy(of) || !of.queue) return null;
  return (
    <p className="mb-5 rounded-xl border border-info/30 bg-info-soft px-4 py-3 text-[13px]">
      {of.queue.position === 1
        ? "It is next in the line of builds."
        : `Number ${of.queue.position} in the line of builds.`}{" "}
      {of.queue.reason}
    </p>
  );
}
