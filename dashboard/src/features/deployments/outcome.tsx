"use client";
import clsx from "clsx";
import { Eye, Info, ShieldCheck, TriangleAlert, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import type { DeploymentDetail } from "@/lib/http";
import { Card } from "@/ui/surface";
import { isBusy } from "./status";
import { evidenceOf, verdict, watchOf } from "./words";

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
