"use client";
import clsx from "clsx";
import { useState } from "react";
import { useHooks } from "@/features/webhooks/queries";
import { data, http, type Environment, type Release } from "@/lib/http";
import { firstLine } from "@/lib/format";
import { Button } from "@/ui/button";
import { Check } from "@/ui/field";
import { Dialog, DialogClose, Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Skeleton } from "@/ui/surface";
import { useDeploying, useReleases } from "./queries";

const ask = (wanted: { environment: string; release: string; pause: boolean }) =>
  data(
    http.POST("/environments/{environment_id}/rollback", {
      params: { path: { environment_id: wanted.environment } },
      body: { release_id: wanted.release, pause_auto_deploy: wanted.pause },
    }),
  );

/** Choose a release to bring back; says what will be different. */
export function Rollback(props: {
  environment: Environment;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const { environment, open } = props;
  const releases = useReleases(environment.id, open).data?.items;
  const [picked, setPicked] = useState<string | null>(null);
  const hooks = useHooks(environment.project_id, open).data?.items;
  const hooked = hooks?.some((one) => one.environment === environment.name);
  const pauses = !!hooked && environment.auto_deploy;
  const [pause, setPause] = useState(true);
  const going = useDeploying(ask);
  const current = releases?.find((one) => one.current);
  const others = releases?.filter((one) => !one.current && !one.removed_at) ?? [];
  const chosen =
    others.find((one) => one.id === picked) ??
    others.find((one) => !current || one.number < current.number) ??
    others[0];
  return (
    <Dialog
      wide
      open={open}
      onOpenChange={props.onOpenChange}
      title={`Roll back ${environment.name}`}
      note="Brings a release back as it was: its build, and the variables it was made with. Nothing is built, so it takes seconds, and visitors notice nothing."
    >
      {!releases ? (
        <Skeleton className="mt-5 h-32" />
      ) : !chosen ? (
        <p className="mt-5 rounded-lg border border-line bg-raised px-3 py-4 text-center text-muted">
          There is no other release to go back to. Each successful deployment leaves one; the last
          ten are kept.
        </p>
      ) : (
        <>
          <div
            role="radiogroup"
            aria-label="Release"
            className="mt-5 max-h-64 space-y-1 overflow-y-auto p-0.5"
          >
            {others.map((one) => (
              <Option
                key={one.id}
                of={one}
                checked={one.id === chosen.id}
                onPick={() => setPicked(one.id)}
              />
            ))}
          </div>
          <Difference from={current} to={chosen} />
          {pauses && (
            <Check
              className="mt-2.5"
              checked={pause}
              onChange={(event) => setPause(event.target.checked)}
            >
              Pause auto-deploy
              <span className="block text-muted">
                The next push would bring the newer code back. Pushes do not deploy{" "}
                {environment.name} until you switch it back on, on the project&apos;s page.
              </span>
            </Check>
          )}
        </>
      )}
      <Problem error={going.error} />
      <div className="mt-6 flex justify-end gap-2">
        <DialogClose>Cancel</DialogClose>
        <Button
          variant="primary"
          busy={going.isPending}
          disabled={!chosen}
          onClick={() =>
            chosen &&
            going.mutate(
              { environment: environment.id, release: chosen.id, pause: pauses && pause },
              { onSuccess: () => props.onOpenChange(false) },
            )
          }
        >
          {chosen ? `Roll back to release ${chosen.number}` : "Roll back"}
        </Button>
      </div>
    </Dialog>
  );
}

function Option({ of, checked, onPick }: { of: Release; checked: boolean; onPick: () => void }) {
  return (
    <label
      className={clsx(
        "flex cursor-pointer items-center gap-3 rounded-lg border px-3 py-2",
        checked ? "border-accent bg-accent-soft" : "border-line hover:bg-hover",
      )}
    >
      <input
        type="radio"
        name="release"
        className="size-4 shrink-0 accent-accent"
        checked={checked}
        onChange={onPick}
      />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">
          <span className="text-muted">{of.number}</span>{" "}
          {firstLine(of.commit_message) || "No message"}
        </span>
        <span className="text-xs text-muted">
          <span className="font-mono">{of.commit_sha.slice(0, 7)}</span> ·{" "}
          <When at={of.created_at} />
        </span>
      </span>
    </label>
  );
}

function Difference({ from, to }: { from?: Release; to: Release }) {
  if (!from) return null;
  const same = from.commit_sha === to.commit_sha;
  return (
    <dl className="mt-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-lg bg-raised px-3 py-2.5 text-[13px]">
      <dt className="text-muted">Code</dt>
      <dd className="font-mono">
        {same
          ? `${to.commit_sha.slice(0, 7)}, the same commit`
          : `${from.commit_sha.slice(0, 7)} → ${to.commit_sha.slice(0, 7)}`}
      </dd>
      <dt className="text-muted">Variables</dt>
      <dd>
        As they were <When at={to.created_at} />. What is saved now stays saved for the next
        deployment.
      </dd>
      <dt className="text-muted">Data</dt>
      <dd>
        Untouched. If a release command changed a database since then, older code may not fit it.
      </dd>
    </dl>
  );
}
