import clsx from "clsx";
import {
  Ban,
  CheckCircle2,
  CircleDashed,
  CircleSlash2,
  Layers,
  LoaderCircle,
  XCircle,
  type LucideIcon,
} from "lucide-react";
import type { Deployment, Status } from "@/lib/http";

type Look = [label: string, Icon: LucideIcon, tone: string];
const quiet = "text-muted bg-raised ring-line-strong";
const busy = "text-info bg-info-soft ring-info/25";
const good = "text-ok bg-ok-soft ring-ok/25";
const bad = "text-bad bg-bad-soft ring-bad/25";

const looks: Record<Status | State, Look> = {
  pending: ["Waiting", CircleDashed, quiet],
  building: ["Building", LoaderCircle, busy],
  deploying: ["Deploying", LoaderCircle, busy],
  success: ["Success", CheckCircle2, good],
  failed: ["Failed", XCircle, bad],
  canceled: ["Canceled", Ban, quiet],
  superseded: ["Superseded", Layers, quiet],
  running: ["Running", CheckCircle2, good],
  stopped: ["Stopped", CircleSlash2, quiet],
  none: ["Not deployed", CircleDashed, quiet],
};

export type State = "running" | "deploying" | "failed" | "stopped" | "none";

/** Says a state in words, shape and colour, so that no one of them is needed. */
export function Badge({ of }: { of: Status | State }) {
  const [label, Icon, tone] = looks[of];
  return (
    <span
      data-status={of}
      className={clsx(
        "inline-flex h-6 shrink-0 items-center gap-1.5 rounded-full whitespace-nowrap px-2 pr-2.5 text-xs font-medium ring-1 ring-inset",
        tone,
      )}
    >
      <Icon
        aria-hidden
        className={clsx("size-3.5", tone === busy && "animate-spin")}
        strokeWidth={2.25}
      />
      {label}
    </span>
  );
}

export const wordOf = (status: Status | State) => looks[status][0];

const unfinished: readonly Status[] = ["pending", "building", "deploying"];
export const isBusy = (one?: Pick<Deployment, "status"> | null) =>
  !!one && unfinished.includes(one.status);

/** It serves, and is still being compared with the release before. */
export const isWatched = (one: Deployment) => one.status === "success" && !one.settled_at;
