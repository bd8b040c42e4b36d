"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import clsx from "clsx";
import { keys } from "@/lib/cache";
import { data, http, type Environment } from "@/lib/http";
import { Button } from "@/ui/button";
import { Problem } from "@/ui/overlay";

/** Whether pushes deploy an environment, and the switch for it. */
export function AutoDeploy(props: { environment: Environment; refused: string | null }) {
  const { environment, refused } = props;
  const client = useQueryClient();
  const { name, project_id, auto_deploy: on } = environment;
  const changing = useMutation({
    mutationFn: () =>
      data(
        http.PATCH("/projects/{project_id}/environments/{name}", {
          params: { path: { project_id, name } },
          body: { auto_deploy: !on },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.project(project_id) }),
  });
  return (
    <>
      <div
        className={clsx(
          "flex flex-wrap items-center justify-between gap-x-3 gap-y-2 text-[13px]",
          !on && "rounded-lg border border-warn/30 bg-warn-soft px-3 py-2",
        )}
      >
        <p className={clsx("min-w-0 flex-1 basis-56", on && "text-muted")}>
          {on
            ? `Pushes deploy ${name}.`
            : `Auto-deploy is paused: pushes do not deploy ${name} until it is switched back on.`}
        </p>
        <Button
          size="sm"
          busy={changing.isPending}
          refused={refused}
          onClick={() => changing.mutate()}
        >
          {on ? "Pause auto-deploy" : "Switch it back on"}
        </Button>
      </div>
      <Problem error={changing.error} />
    </>
  );
}
