"use client";
import clsx from "clsx";
import { Minus, Play, Plus, RotateCw, Square } from "lucide-react";
import { useState } from "react";
import { failed, remember, useDeploying } from "@/features/deployments/queries";
import { isBusy } from "@/features/deployments/status";
import { bytes, plural } from "@/lib/format";
import { data, http, type EnvironmentNow, type Instance } from "@/lib/http";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/overlay";
import { Card, Section } from "@/ui/surface";
import { useQueryClient } from "@tanstack/react-query";

const MOST = 50;
const at = (id: string) => ({ params: { path: { environment_id: id } } });
const restart = (id: string) => data(http.POST("/environments/{environment_id}/restart", at(id)));
const start = (id: string) => data(http.POST("/environments/{environment_id}/start", at(id)));
const stop = (id: string) => data(http.POST("/environments/{environment_id}/stop", at(id)));

interface Refused {
  /** Why whoever looks may not act on it. */
  refused: string | null;
}

/** What runs in an environment, and how many of each. */
export function Running({ place, refused }: { place: EnvironmentNow } & Refused) {
  const { environment, serving } = place;
  if (!serving) return null;
  const instances = place.instances ?? [];
  const types = [
    ...new Set([...Object.keys(environment.scale), ...instances.map((one) => one.process)]),
  ].sort(webFirst);
  return (
    <Section
      id="running"
      title="Running"
      note={
        environment.stopped
          ? "Its address says that it is stopped."
          : plural(instances.length, "instance")
      }
      action={<Controls place={place} refused={refused} />}
    >
      {types.length > 0 ? (
        <Card className="divide-y divide-line">
          {types.map((type) => (
            <Process
              key={type}
              type={type}
              place={place}
              refused={refused}
              instances={instances.filter((one) => one.process === type)}
            />
          ))}
        </Card>
      ) : (
        <Card className="px-4 py-5 text-[13px] text-muted">
          {environment.stopped
            ? "Nothing runs."
            : "A static site: files are served, no process runs."}
        </Card>
      )}
    </Section>
  );
}

const webFirst = (a: string, b: string) =>
  a === "web" ? -1 : b === "web" ? 1 : a.localeCompare(b);

function Controls({ place, refused }: { place: EnvironmentNow } & Refused) {
  const { environment } = place;
  const [stopping, setStopping] = useState(false);
  const restarting = useDeploying(restart);
  const starting = useDeploying(start);
  const ending = useDeploying(stop);
  const busy = isBusy(place.latest);
  if (environment.stopped)
    return (
      <Button
        size="sm"
        disabled={busy}
        busy={starting.isPending}
        refused={refused}
        onClick={() => starting.mutate(environment.id, { onError: failed })}
      >
        <Play aria-hidden />
        Start
      </Button>
    );
  return (
    <div className="flex gap-2">
      <Button
        size="sm"
        disabled={busy}
        busy={restarting.isPending}
        refused={refused}
        onClick={() => restarting.mutate(environment.id, { onError: failed })}
      >
        <RotateCw aria-hidden />
        Restart
      </Button>
      <Button size="sm" disabled={busy} refused={refused} onClick={() => setStopping(true)}>
        <Square aria-hidden />
        Stop
      </Button>
      <Confirm
        open={stopping}
        onOpenChange={setStopping}
        title={`Stop ${environment.name}?`}
        action="Stop"
        onConfirm={() => ending.mutateAsync(environment.id)}
      >
        Its instances end and its address says that it is stopped. The release stays: Start runs it
        again.
      </Confirm>
    </div>
  );
}

interface Type extends Refused {
  type: string;
  place: EnvironmentNow;
}

function Process({ instances, ...rest }: Type & { instances: Instance[] }) {
  const { type, place } = rest;
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-3">
      <span className="w-28 shrink-0 font-mono text-[13px] font-medium">{type}</span>
      <ul
        className="flex min-w-0 flex-1 flex-wrap gap-2 max-sm:order-last max-sm:basis-full"
        aria-label={`Instances of ${type}`}
      >
        {instances.map((one) => (
          <Shown key={one.id} of={one} />
        ))}
        {!instances.length && <li className="text-[13px] text-muted">none</li>}
      </ul>
      {!place.environment.stopped && <Count {...rest} running={instances.length} />}
    </div>
  );
}

const states: Record<Instance["state"], string> = {
  starting: "bg-info",
  running: "bg-ok",
  backoff: "bg-warn",
  crashed: "bg-bad",
  stopped: "bg-faint",
  missing: "bg-bad",
};

function Shown({ of }: { of: Instance }) {
  return (
    <li className="flex items-center gap-2 rounded-md bg-raised px-2 py-1 text-xs whitespace-nowrap ring-1 ring-line ring-inset">
      <span className={clsx("size-1.5 rounded-full", states[of.state])} aria-hidden />
      <span>{of.state}</span>
      {of.memory > 0 && <span className="text-muted tabular-nums">{bytes(of.memory)}</span>}
      {of.restarts > 0 && <span className="text-warn">{plural(of.restarts, "restart")}</span>}
    </li>
  );
}

/** How many shall run; each step is carried out at once, as a deployment. */
function Count({ type, place, refused, running }: Type & { running: number }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<number | null>(null);
  const count = asked ?? place.environment.scale[type] ?? running;
  const scale = async (wanted: number) => {
    setAsked(wanted);
    try {
      const { deployment } = await data(
        http.PUT("/environments/{environment_id}/scale", {
          ...at(place.environment.id),
          body: { processes: { [type]: wanted } },
        }),
      );
      if (deployment) remember(client, deployment);
    } catch (error) {
      setAsked(null);
      failed(error as Error);
    }
  };
  return (
    <div
      role="group"
      aria-label={`Number of ${type} instances`}
      className="ml-auto flex items-center gap-1"
    >
      <Button
        size="icon"
        variant="ghost"
        aria-label={`One ${type} instance fewer`}
        disabled={count <= 0}
        refused={refused}
        onClick={() => scale(count - 1)}
      >
        <Minus aria-hidden />
      </Button>
      <output className="w-6 text-center font-semibold tabular-nums">{count}</output>
      <Button
        size="icon"
        variant="ghost"
        aria-label={`One ${type} instance more`}
        disabled={count >= MOST}
        refused={refused}
        onClick={() => scale(count + 1)}
      >
        <Plus aria-hidden />
      </Button>
    </div>
  );
}
