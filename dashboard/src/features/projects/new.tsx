"use client";
import { useMutation } from "@tanstack/react-query";
import { ArrowRight, GitBranch, LoaderCircle, Rocket } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useMe } from "@/features/accounts/queries";
import { deploy, useDeploying } from "@/features/deployments/queries";
import { rules } from "@/features/teams/queries";
import { repository } from "@/lib/format";
import { data, http, type Deployment, type Overrides, type Plan } from "@/lib/http";
import { Button } from "@/ui/button";
import { Field, Pick } from "@/ui/field";
import { Crumb, Head } from "@/ui/head";
import { Problem } from "@/ui/overlay";
import { Card, Section } from "@/ui/surface";
import { PlanView, where } from "./plan";

interface Source {
  repo_url: string;
  branch?: string;
  root?: string;
}
type Missing = NonNullable<Plan["missing"]>[number];

const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
const askPlan = ({ repo_url, branch, root }: Source) =>
  data(
    http.POST("/projects/plan", { body: { repo_url, branch: branch || null, root: root || null } }),
  );

/** Repository → plan with its evidence → what is missing → deploy. */
export function NewProject() {
  const [source, setSource] = useState<Source | null>(null);
  const plan = useMutation({ mutationFn: askPlan });
  const look = (wanted: Source) => {
    setSource(wanted);
    plan.mutate(wanted);
  };
  return (
    <div className="mx-auto max-w-3xl">
      <Head
        title="New project"
        name="New project"
        trail={
          <>
            <Crumb href="/">Projects</Crumb>
            <span aria-current="page">New</span>
          </>
        }
        note="Nothing is built before you have seen how."
      />
      <Repository busy={plan.isPending} onLook={look} />
      {plan.isPending && (
        <p role="status" className="mt-5 flex items-center gap-2.5 text-muted">
          <LoaderCircle className="size-4 animate-spin text-info" aria-hidden />
          Fetching the repository and reading it …
        </p>
      )}
      <Problem error={plan.error} />
      {plan.data && source && (
        <Decide key={JSON.stringify(source)} plan={plan.data} source={source} />
      )}
    </div>
  );
}

function Repository({ busy, onLook }: { busy: boolean; onLook: (source: Source) => void }) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onLook({
      repo_url: text(form, "repo_url"),
      branch: text(form, "branch"),
      root: text(form, "root"),
    });
  };
  return (
    <Card className="p-5">
      <form onSubmit={submit} className="space-y-4">
        <Field
          label="Git repository"
          name="repo_url"
          required
          autoFocus
          mono
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          placeholder="https://github.com/you/shop.git"
          hint="https or ssh. A private one needs a token or a deploy key: make the project first, then add it in its settings."
        />
        <div className="flex flex-wrap items-end gap-4">
          <Field
            className="min-w-40 flex-1"
            label="Branch"
            name="branch"
            mono
            placeholder="the default one"
            autoComplete="off"
          />
          <Field
            className="min-w-40 flex-1"
            label="Directory"
            name="root"
            mono
            placeholder="the whole repository"
            autoComplete="off"
          />
          <Button type="submit" variant="primary" busy={busy}>
            {!busy && <ArrowRight aria-hidden />}
            Show the plan
          </Button>
        </div>
      </form>
    </Card>
  );
}

interface Decided {
  source: Source;
  plan: Plan;
  form: FormData;
}

function Decide({ plan, source }: { plan: Plan; source: Source }) {
  const making = useDeploying(make);
  const missing = plan.missing ?? [];
  // It goes to production at once, which is the admins' where a team has more members.
  const teams = useMe().data?.teams.filter((team) => rules(team.role)) ?? [];
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    making.mutate({ source, plan, form: new FormData(event.currentTarget) });
  };
  return (
    <form onSubmit={submit} className="mt-8 space-y-8">
      <Section
        id="plan"
        title="The plan"
        note="What will be done, and the line of the repository that proves it."
      >
        <PlanView plan={plan} />
      </Section>
      {missing.length > 0 && <Variables missing={missing} />}
      <Section
        id="change"
        title="Your changes"
        note="They rank above every file in the repository. Leave empty what shall stay as planned."
      >
        <Card className="grid gap-4 p-5 sm:grid-cols-2">
          <Field
            label="Name"
            name="name"
            required
            maxLength={80}
            defaultValue={nameOf(source.repo_url)}
            hint="The address is made of it."
          />
          <Field
            label="Health check path"
            name="check_path"
            mono
            placeholder={plan.processes?.find((one) => one.name === "web")?.check?.path ?? "/"}
            hint="Asked before visitors come."
          />
          {teams.length > 1 && (
            <Pick
              label="Team"
              name="team"
              options={teams.map((team) => [team.id, team.name])}
              defaultValue={teams.find((team) => team.personal)?.id}
              hint="Owns it; its members see it."
            />
          )}
          <Field label="Build command" name="build_command" mono placeholder="as planned" />
          <Field label="Start command" name="start_command" mono placeholder="as planned" />
        </Card>
      </Section>
      <Problem error={making.error} />
      <div className="flex items-center justify-end gap-3">
        <span className="flex items-center gap-1.5 text-[13px] text-muted">
          <GitBranch className="size-3.5" aria-hidden />
          {source.branch || "the default branch"} into production
        </span>
        <Button type="submit" variant="primary" busy={making.isPending}>
          {!making.isPending && <Rocket aria-hidden />}
          Deploy
        </Button>
      </div>
    </form>
  );
}

function Variables({ missing }: { missing: Missing[] }) {
  return (
    <Section
      id="variables"
      title="Variables it reads"
      note="They are sealed at once and never shown again."
    >
      <Card className="space-y-4 p-5">
        {missing.map((one) => (
          <Field
            key={one.name}
            label={one.required ? one.name : `${one.name} (optional)`}
            name={`var:${one.name}`}
            mono
            autoComplete="off"
            hint={`Read in ${where(one.evidence)}${one.required ? ", without a default" : ""}.`}
          />
        ))}
      </Card>
    </Section>
  );
}

const nameOf = (repo: string) => repository(repo).split("/").at(-1) || "app";

async function make({ source, plan, form }: Decided): Promise<Deployment> {
  const project = await data(
    http.POST("/projects", {
      body: {
        name: text(form, "name"),
        description: "",
        repo_url: source.repo_url,
        framework: plan.framework || null,
        language: plan.family,
        overrides: chosen(source, form),
        team_id: text(form, "team") || null,
      },
    }),
  );
  const path = { project_id: project.id };
  if (source.branch)
    await http.PATCH("/projects/{project_id}/environments/{name}", {
      params: { path: { ...path, name: "production" } },
      body: { branch: source.branch },
    });
  for (const [name, value] of variables(form))
    await http.PUT("/projects/{project_id}/environments/{environment}/variables/{name}", {
      params: { path: { ...path, environment: "production", name } },
      body: { value },
    });
  return deploy({ project: project.id, branch: source.branch });
}

/** Only what was typed: what is empty stays as planned. */
function chosen(source: Source, form: FormData): Overrides {
  const typed = ["build_command", "start_command", "check_path"].map((name) => [
    name,
    text(form, name),
  ]);
  const entries = [...typed, ["root", source.root ?? ""]].filter(([, value]) => value);
  return Object.fromEntries(entries) as Overrides;
}

function variables(form: FormData): [string, string][] {
  return [...form.entries()]
    .filter(([name, value]) => name.startsWith("var:") && value !== "")
    .map(([name, value]) => [name.slice(4), String(value)]);
}
