import type { Deployment, DeploymentDetail, Step } from "@/lib/http";
import { firstLine, seconds } from "@/lib/format";
import { isBusy } from "./status";

export const STEPS: [Step["name"], string][] = [
  ["fetch", "Fetch"],
  ["plan", "Plan"],
  ["build", "Build"],
  ["release_command", "Release command"],
  ["start", "Start"],
  ["check", "Check"],
  ["switch", "Switch"],
  ["drain", "Drain"],
  ["watch", "Watch"],
  ["retire", "Retire"],
];
const BUILDLESS = new Set<Step["name"]>(["fetch", "plan", "build", "release_command"]);

const kinds = { deploy: "", rollback: "Roll back", restart: "Restart", stop: "Stop" };

/** What a deployment is about, in one line. */
export function titleOf(one: Deployment): string {
  const subject = firstLine(one.commit_message);
  const kind = kinds[one.kind];
  if (kind && one.kind === "rollback") return subject ? `${kind} to “${subject}”` : kind;
  if (kind) return kind;
  if (subject) return subject;
  return one.upload
    ? "A directory that was sent"
    : isBusy(one)
      ? "Newest commit"
      : `Deployment #${one.number}`;
}

export type StepState = "waiting" | "active" | "done" | "failed" | "skipped" | "canceled";
export interface Shown {
  name: Step["name"];
  label: string;
  state: StepState;
  from?: string;
  to?: string | null;
}

/** Every step that this kind of deployment has, with how it stands. */
export function stepsOf(one: DeploymentDetail): Shown[] {
  const rows = new Map((one.steps ?? []).map((row) => [row.name, row]));
  const over = !isBusy(one) && (one.status !== "success" || !!one.settled_at);
  return STEPS.filter(([name]) => one.kind === "deploy" || rows.has(name) || !BUILDLESS.has(name))
    .filter(([name]) => name !== "release_command" || shows(rows.get(name)))
    .map(([name, label]) => {
      const row = rows.get(name);
      return { name, label, state: stateOf(row, over), from: row?.started_at, to: row?.ended_at };
    });
}

/** Few projects have a release command; where none ran nothing is said about it. */
const shows = (row?: Step) => !!row && row.outcome !== "skipped";

function stateOf(row: Step | undefined, over: boolean): StepState {
  if (!row) return over ? "skipped" : "waiting";
  if (row.outcome) return row.outcome;
  return over ? "canceled" : "active";
}

export const tookOf = (one: Deployment) =>
  seconds(one.started_at ?? one.created_at, one.finished_at);

/** How long deployments like this one took lately: the middle of the last ones that succeeded. */
export function usually(all: Deployment[], one: Deployment): number | null {
  const alike = all.filter(
    (other) =>
      other.status === "success" &&
      other.kind === one.kind &&
      other.environment_id === one.environment_id &&
      other.id !== one.id,
  );
  const times = alike
    .slice(0, 5)
    .map((other) => tookOf(other) ?? 0)
    .sort((a, b) => a - b);
  return times.length ? times[Math.floor(times.length / 2)]! : null;
}

export interface Diagnosis {
  code: string;
  summary: string;
  proof: string;
  todo: string;
}
export interface Evidence {
  summary: string;
  requests: number;
  failed: number;
  visits: number;
  visits_failed: number;
}
interface Figures {
  requests: number;
  errors: number;
  p95: number | null;
}
export interface Watch extends Partial<Figures> {
  state: "open" | "passed" | "worse" | "replaced";
  limit?: number;
  seconds?: number;
  why?: string | null;
  basis?: "traffic" | "health";
  before?: Figures;
}

export const diagnosisOf = (one: Deployment) => one.diagnosis as unknown as Diagnosis | null;
export const evidenceOf = (one: Deployment) => one.evidence as unknown as Evidence | null;
export const watchOf = (one: Deployment) => one.watch as unknown as Watch | null;

/** The watch in words: what was compared, and what came of it. */
export function verdict(watch: Watch): string {
  if (watch.state === "open")
    return "Visitors’ requests are compared with those of the release before.";
  if (watch.state === "replaced") return "A newer release took over before the watch ended.";
  if (watch.state === "worse") return `Worse than before: ${watch.why ?? "it did not hold out"}.`;
  if (watch.basis !== "traffic") return "Nothing crashed. Too few visitors came to compare more.";
  const before = watch.before?.requests ? ` Before: ${ratio(watch.before)}.` : "";
  return `No worse than before: ${ratio(watch)}.${before}`;
}

function ratio({ requests = 0, errors = 0, p95 }: Partial<Figures>): string {
  const slow = p95 == null ? "" : `, p95 ${Math.round(p95 * 1000)} ms`;
  return `${errors} errors in ${requests.toLocaleString("en")} requests${slow}`;
}
