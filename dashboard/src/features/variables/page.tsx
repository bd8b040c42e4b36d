"use client";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Lock, Plus, Rocket, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useDeploy } from "@/features/deployments/queries";
import { Places, ProjectFrame } from "@/features/projects/frame";
import { useRefusal } from "@/features/teams/refusal";
import { keys } from "@/lib/cache";
import { plural } from "@/lib/format";
import {
  data,
  http,
  type Deployment,
  type EnvironmentNow,
  type ProjectNow,
  type Variable,
} from "@/lib/http";
import { useQueryWord } from "@/lib/route";
import { Button } from "@/ui/button";
import { Area, Choice, Field } from "@/ui/field";
import { Confirm, Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Empty, Section, Skeleton, Tag } from "@/ui/surface";

export const ProjectVariables = () => (
  <ProjectFrame tab="variables">
    {({ now, place }) => <Page key={place.environment.id} now={now} place={place} />}
  </ProjectFrame>
);

const placeOf = (project: string, environment: string) => ({
  params: { path: { project_id: project, environment } },
});

function Page({ now, place }: { now: ProjectNow; place: EnvironmentNow }) {
  const project = now.project.id;
  const { name } = place.environment;
  const list = useQuery({
    queryKey: keys.variables(project, name),
    queryFn: () =>
      data(
        http.GET(
          "/projects/{project_id}/environments/{environment}/variables",
          placeOf(project, name),
        ),
      ),
  });
  const rows = list.data?.items;
  const refused = useRefusal(now.project.team_id)("act", place.environment);
  return (
    <>
      <Places now={now} place={place} tab="variables" />
      <div className="space-y-8">
        <Waiting rows={rows ?? []} place={place} project={project} refused={refused} />
        {refused ? (
          <p className="text-[13px] text-muted">{refused}</p>
        ) : (
          <Add project={project} environment={name} />
        )}
        <Section
          id="saved"
          title="Saved"
          note="Values are sealed: nobody reads them here again. Only the app does."
        >
          {list.error && <Problem error={list.error} />}
          {!rows ? (
            !list.error && <Skeleton className="h-32 w-full rounded-xl" />
          ) : rows.length === 0 ? (
            <Empty icon={KeyRound} title="No variables">
              What differs between environments, and what is secret, belongs here and not in the
              repository.
            </Empty>
          ) : (
            <Card className="divide-y divide-line">
              {rows.map((row) => (
                <Row
                  key={row.name}
                  of={row}
                  project={project}
                  environment={name}
                  isNew={isNew(row, place.serving)}
                  refused={refused}
                />
              ))}
            </Card>
          )}
        </Section>
      </div>
    </>
  );
}

/** Saved after the configuration of what serves was taken. */
const isNew = (one: Variable, serving?: Deployment | null) =>
  !!serving && Date.parse(one.updated_at) > Date.parse(serving.started_at ?? serving.created_at);

function Waiting(props: {
  rows: Variable[];
  place: EnvironmentNow;
  project: string;
  refused: string | null;
}) {
  const { rows, place, project } = props;
  const deploy = useDeploy();
  const count = rows.filter((row) => isNew(row, place.serving)).length;
  if (!count) return null;
  return (
    <div className="flex flex-wrap items-center gap-3 rounded-xl border border-info/30 bg-info-soft px-4 py-3 text-[13px]">
      <p className="min-w-0 flex-1 basis-64">
        {plural(count, "variable")} {count === 1 ? "was" : "were"} saved after the last deployment.
        What serves does not know {count === 1 ? "it" : "them"} yet.
      </p>
      <Button
        size="sm"
        variant="primary"
        busy={deploy.isPending}
        refused={props.refused}
        onClick={() => deploy.mutate({ project, environment: place.environment.name })}
      >
        {!deploy.isPending && <Rocket aria-hidden />}
        Deploy now
      </Button>
    </div>
  );
}

type How = "one" | "many";
const hows: [How, string][] = [
  ["one", "One"],
  ["many", "Paste .env"],
];

function Add({ project, environment }: { project: string; environment: string }) {
  const client = useQueryClient();
  const wanted = useQueryWord("add");
  const [how, setHow] = useState<How>("one");
  const place = placeOf(project, environment);
  const saving = useMutation({
    mutationFn: (form: FormData) => {
      const value = String(form.get("value") ?? "");
      const name = String(form.get("name") ?? "").trim();
      if (how === "many")
        return data(
          http.PUT("/projects/{project_id}/environments/{environment}/variables", {
            ...place,
            body: { dotenv: value, replace: false },
          }),
        );
      return data(
        http.PUT("/projects/{project_id}/environments/{environment}/variables/{name}", {
          params: { path: { ...place.params.path, name } },
          body: { value },
        }),
      );
    },
    onSuccess: (list) => client.setQueryData(keys.variables(project, environment), list),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    saving.mutate(new FormData(form), { onSuccess: () => form.reset() });
  };
  return (
    <Section
      id="add"
      title="Add or replace"
      note={`They count in ${environment} from the next deployment on.`}
      action={<Choice label="How" value={how} onChange={setHow} options={hows} />}
    >
      <Card className="p-5">
        <form onSubmit={submit} key={`${how} ${wanted}`}>
          {how === "one" ? (
            <div className="flex flex-wrap items-end gap-4">
              <Field
                className="min-w-44 flex-1"
                label="Name"
                name="name"
                required
                mono
                autoComplete="off"
                placeholder="DATABASE_URL"
                defaultValue={wanted ?? ""}
              />
              <Field
                className="min-w-44 flex-[2]"
                label="Value"
                name="value"
                mono
                autoComplete="off"
                spellCheck={false}
                autoFocus={!!wanted}
              />
              <Save busy={saving.isPending} />
            </div>
          ) : (
            <div className="space-y-4">
              <Area
                label="Text of a .env file"
                name="value"
                required
                rows={6}
                placeholder={"DATABASE_URL=postgres://…\nLOG_LEVEL=info"}
                hint="What it names is added or replaced; the rest stays."
              />
              <div className="flex justify-end">
                <Save busy={saving.isPending} />
              </div>
            </div>
          )}
          <Problem error={saving.error} />
          <p role="status" className="sr-only">
            {saving.isSuccess ? "Saved." : ""}
          </p>
        </form>
      </Card>
    </Section>
  );
}

const Save = ({ busy }: { busy: boolean }) => (
  <Button type="submit" variant="primary" busy={busy}>
    {!busy && <Plus aria-hidden />}
    Save
  </Button>
);

function Row({
  of,
  project,
  environment,
  isNew: waits,
  refused,
}: {
  of: Variable;
  project: string;
  environment: string;
  isNew: boolean;
  refused: string | null;
}) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    await http.DELETE("/projects/{project_id}/environments/{environment}/variables/{name}", {
      params: { path: { project_id: project, environment, name: of.name } },
    });
    await client.invalidateQueries({ queryKey: keys.variables(project, environment) });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <span
        className="min-w-0 flex-1 basis-40 truncate font-mono text-[13px] font-medium"
        title={of.name}
      >
        {of.name}
      </span>
      {waits && <Tag>not deployed yet</Tag>}
      <span className="flex items-center gap-1.5 text-xs text-muted">
        <Lock className="size-3.5" aria-hidden />
        saved <When at={of.updated_at} />
      </span>
      <Button
        variant="ghost"
        size="icon"
        aria-label={`Remove ${of.name}`}
        refused={refused}
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden />
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Remove ${of.name}?`}
        action="Remove"
        onConfirm={remove}
      >
        Its value is gone for good. What serves keeps it until the next deployment.
      </Confirm>
    </div>
  );
}
