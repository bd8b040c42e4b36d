"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { useRefusal } from "@/features/teams/refusal";
import { Hooks } from "@/features/webhooks/hooks";
import { keys } from "@/lib/cache";
import { data, http, type EnvironmentNow, type Project } from "@/lib/http";
import { Button } from "@/ui/button";
import { Check, Field } from "@/ui/field";
import { Confirm, Problem } from "@/ui/overlay";
import { CopyButton } from "@/ui/small";
import { Card, Section } from "@/ui/surface";
import { Danger } from "./danger";
import { ProjectFrame } from "./frame";

const at = (project: Project) => ({ params: { path: { project_id: project.id } } });
const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();

export const ProjectSettings = () => (
  <ProjectFrame tab="settings">
    {({ now }) => (
      <div className="max-w-3xl space-y-8">
        <General project={now.project} />
        <Build project={now.project} />
        {now.environments.map((place) => (
          <Place key={place.environment.id} place={place} project={now.project} />
        ))}
        <Hooks now={now} />
        <Access project={now.project} />
        <Danger now={now} />
      </div>
    )}
  </ProjectFrame>
);

/** A form that saves one part of the settings and says that it did. */
function Part(props: {
  id: string;
  title: string;
  note: string;
  save: (form: FormData) => Promise<unknown>;
  project: Project;
  children: React.ReactNode;
}) {
  const client = useQueryClient();
  const refused = useRefusal(props.project.team_id)("manage");
  const saving = useMutation({
    mutationFn: props.save,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.project(props.project.id) }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    saving.mutate(new FormData(event.currentTarget));
  };
  return (
    <Section id={props.id} title={props.title} note={props.note}>
      <Card>
        <form onSubmit={submit} onChange={() => saving.isSuccess && saving.reset()}>
          <fieldset disabled={!!refused} className="grid gap-4 p-5 sm:grid-cols-2">
            {props.children}
          </fieldset>
          <div className="px-5">
            <Problem error={saving.error} />
          </div>
          <div className="flex items-center justify-end gap-3 px-5 pb-5">
            {refused ? (
              <p className="text-[13px] text-muted">{refused}</p>
            ) : (
              <>
                <span role="status" className="text-[13px] text-ok">
                  {saving.isSuccess ? "Saved." : ""}
                </span>
                <Button type="submit" variant="primary" busy={saving.isPending}>
                  Save
                </Button>
              </>
            )}
          </div>
        </form>
      </Card>
    </Section>
  );
}

function General({ project }: { project: Project }) {
  const save = (form: FormData) =>
    data(
      http.PATCH("/projects/{project_id}", {
        ...at(project),
        body: {
          name: text(form, "name"),
          repo_url: text(form, "repo_url"),
          description: text(form, "description"),
        },
      }),
    );
  return (
    <Part
      id="general"
      title="General"
      note="The address stays when the name changes."
      save={save}
      project={project}
    >
      <Field label="Name" name="name" required maxLength={80} defaultValue={project.name} />
      <Field
        label="Description"
        name="description"
        maxLength={2000}
        defaultValue={project.description}
      />
      <Field
        className="sm:col-span-2"
        label="Git repository"
        name="repo_url"
        required
        mono
        defaultValue={project.repo_url}
      />
    </Part>
  );
}

const commands = [
  ["build_command", "Build command", "as planned"],
  ["start_command", "Start command", "as planned"],
  ["release_command", "Release command", "none, or as planned"],
  ["check_path", "Health check path", "/"],
  ["root", "Directory", "the whole repository"],
  ["publish", "Published directory", "for static sites; as planned"],
] as const;

function Build({ project }: { project: Project }) {
  const save = (form: FormData) => {
    const typed = Object.fromEntries(commands.map(([name]) => [name, text(form, name) || null]));
    return data(
      http.PATCH("/projects/{project_id}", {
        ...at(project),
        body: { overrides: { ...project.overrides, ...typed } },
      }),
    );
  };
  return (
    <Part
      id="build"
      title="Build and run"
      note="Ranks above every file in the repository, from the next deployment on. Empty means as planned."
      save={save}
      project={project}
    >
      {commands.map(([name, label, placeholder]) => (
        <Field
          key={name}
          label={label}
          name={name}
          mono
          placeholder={placeholder}
          defaultValue={project.overrides[name] ?? ""}
        />
      ))}
    </Part>
  );
}

const goings = [
  ["careful", "When it crashes; not for traffic alone after a release command"],
  ["always", "Whenever it is worse"],
  ["never", "Never; only warn"],
] as const;

function Place({ place, project }: { place: EnvironmentNow; project: Project }) {
  const { environment } = place;
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const refused = useRefusal(project.team_id)("act", environment);
  const path = { params: { path: { project_id: project.id, name: environment.name } } };
  const save = (form: FormData) => {
    const seconds = text(form, "seconds");
    const going = text(form, "going_back") as (typeof goings)[number][0];
    const watch = { seconds: seconds === "" ? null : Number(seconds), going_back: going };
    return data(
      http.PATCH("/projects/{project_id}/environments/{name}", {
        ...path,
        body: {
          branch: text(form, "branch") || null,
          watch,
          protected: form.get("protected") === "on",
        },
      }),
    );
  };
  const remove = async () => {
    await http.DELETE("/projects/{project_id}/environments/{name}", path);
    await client.invalidateQueries({ queryKey: keys.project(project.id) });
  };
  return (
    <>
      <Part
        id={`environment-${environment.name}`}
        title={`Environment ${environment.name}`}
        note="What is deployed there, how a new release is watched, and who may act on it."
        save={save}
        project={project}
      >
        <Field
          label="Branch"
          name="branch"
          mono
          placeholder="the default one"
          defaultValue={environment.branch ?? ""}
        />
        <Field
          label="Watch, in seconds"
          name="seconds"
          type="number"
          min={0}
          max={3600}
          placeholder="as the platform says"
          defaultValue={environment.watch.seconds ?? ""}
          hint="0 does not watch."
        />
        <fieldset className="sm:col-span-2">
          <legend className="text-[13px] font-medium">Go back by itself</legend>
          <div className="mt-1">
            {goings.map(([value, label]) => (
              <Check
                key={value}
                type="radio"
                name="going_back"
                value={value}
                defaultChecked={environment.watch.going_back === value}
              >
                {label}
              </Check>
            ))}
          </div>
        </fieldset>
        <Check className="sm:col-span-2" name="protected" defaultChecked={environment.protected}>
          Protected: only admins of the team act on it
        </Check>
      </Part>
      {environment.name !== "production" && (
        <div className="!mt-3 text-right">
          <Button variant="ghost" size="sm" refused={refused} onClick={() => setAsking(true)}>
            Remove {environment.name}…
          </Button>
          <Confirm
            open={asking}
            onOpenChange={setAsking}
            word={environment.name}
            title={`Remove ${environment.name}?`}
            action="Remove"
            onConfirm={remove}
          >
            What runs there ends; its releases, variables and logs go with it.
          </Confirm>
        </div>
      )}
    </>
  );
}

/** How a private repository is read. */
function Access({ project }: { project: Project }) {
  const client = useQueryClient();
  const refused = useRefusal(project.team_id)("manage");
  const again = () => client.invalidateQueries({ queryKey: keys.project(project.id) });
  const key = useMutation({
    mutationFn: () => data(http.POST("/projects/{project_id}/deploy-key", at(project))),
    onSuccess: again,
  });
  const forget = async () => {
    await http.DELETE("/projects/{project_id}/credential", at(project));
    await again();
  };
  const token = (form: FormData) =>
    data(
      http.PUT("/projects/{project_id}/credential", {
        ...at(project),
        body: { username: text(form, "username"), token: text(form, "token") },
      }),
    );
  return (
    <>
      <Part
        id="access"
        title="Private repository"
        note={access(project)}
        save={token}
        project={project}
      >
        <Field
          label="User name"
          name="username"
          mono
          autoComplete="off"
          placeholder="if the forge asks for one"
        />
        <Field
          label="Token"
          name="token"
          type="password"
          required
          autoComplete="off"
          hint="May read the repository over https. Sealed, and never shown again."
        />
      </Part>
      <Card className="!mt-3 p-5 text-[13px]">
        {project.deploy_key ? (
          <div className="flex items-start gap-2">
            <code className="min-w-0 flex-1 font-mono text-xs [overflow-wrap:anywhere]">
              {project.deploy_key}
            </code>
            <CopyButton text={project.deploy_key} what="the deploy key" />
          </div>
        ) : (
          <p className="text-muted">
            Over ssh, make a deploy key and give the forge its public half.
          </p>
        )}
        <div className="mt-3 flex flex-wrap gap-2">
          <Button size="sm" busy={key.isPending} refused={refused} onClick={() => key.mutate()}>
            {project.deploy_key ? "Make another deploy key" : "Make a deploy key"}
          </Button>
          {project.has_credential && (
            <Button size="sm" variant="ghost" refused={refused} onClick={() => void forget()}>
              Forget what is kept
            </Button>
          )}
        </div>
        <Problem error={key.error} />
      </Card>
    </>
  );
}

function access(project: Project): string {
  if (project.deploy_key) return "It is read with a deploy key.";
  return project.has_credential
    ? "It is read with a token."
    : "Nothing is kept: the repository is read as the public sees it.";
}
