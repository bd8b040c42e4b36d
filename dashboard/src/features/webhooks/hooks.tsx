"use client";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { text } from "@/features/accounts/door";
import { Form } from "@/features/accounts/form";
import { Shown } from "@/features/accounts/security";
import { AutoDeploy } from "@/features/environments/auto-deploy";
import { useRefusal } from "@/features/teams/refusal";
import { keys } from "@/lib/cache";
import { data, http, type Hook, type HookMade, type ProjectNow, type Provider } from "@/lib/http";
import { Button } from "@/ui/button";
import { Pick } from "@/ui/field";
import { Confirm, Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Section, Skeleton } from "@/ui/surface";
import { Deliveries } from "./deliveries";
import { useHooks } from "./queries";

const FORGES: Record<Provider, string> = { github: "GitHub", gitlab: "GitLab", gitea: "Gitea" };

/** Where the forge takes the address and the secret. */
const WHERE: Record<Provider, string> = {
  github:
    "In the repository at GitHub: Settings, Webhooks, Add webhook. The content type is application/json; the push event is enough.",
  gitlab:
    "In the project at GitLab: Settings, Webhooks, Add new webhook. The secret is its secret token; the trigger is push events.",
  gitea:
    "In the repository at Gitea or Forgejo: Settings, Webhooks, Add webhook. The method is POST, the content type application/json; push events are enough.",
};

/** `once` is what a forge needs and nobody is shown again. */
type Once = { provider: Provider; secret: string; url?: string; note?: string | null };

export function Hooks({ now }: { now: ProjectNow }) {
  const { project } = now;
  const list = useHooks(project.id);
  const refused = useRefusal(project.team_id)("manage");
  const rows = list.data?.items;
  const [making, setMaking] = useState(false);
  const [once, setOnce] = useState<Once | null>(null);
  return (
    <Section
      id="hooks"
      title="Push hook"
      note="A push deploys, once the forge that has the repository tells of it."
      action={
        !making &&
        !once && (
          <Button refused={refused} onClick={() => setMaking(true)}>
            <Plus aria-hidden />
            New hook
          </Button>
        )
      }
    >
      <Card className="divide-y divide-line">
        {making && (
          <Make
            now={now}
            onDone={(made) => {
              setMaking(false);
              setOnce(made);
            }}
            onCancel={() => setMaking(false)}
          />
        )}
        {once && <Handed of={once} onDone={() => setOnce(null)} />}
        {rows?.map((row) => (
          <Row key={row.id} of={row} now={now} refused={refused} onRotated={setOnce} />
        ))}
        {rows?.length === 0 && !making && (
          <p className="px-5 py-4 text-muted">
            No hook: deployments are asked for here, with the command or over the API.
          </p>
        )}
        {!rows && !list.error && <Skeleton className="m-5 h-9" />}
        {list.error && (
          <div className="px-5 pb-4">
            <Problem error={list.error} />
          </div>
        )}
      </Card>
    </Section>
  );
}

function guess(address: string): Provider {
  if (address.includes("gitlab")) return "gitlab";
  return /gitea|forgejo|codeberg/.test(address) ? "gitea" : "github";
}

function Make(props: { now: ProjectNow; onDone: (made: HookMade) => void; onCancel: () => void }) {
  const { project, environments } = props.now;
  const client = useQueryClient();
  const save = (form: FormData) =>
    data(
      http.POST("/projects/{project_id}/hooks", {
        params: { path: { project_id: project.id } },
        body: {
          provider: text(form, "provider") as Provider,
          environment: text(form, "environment"),
        },
      }),
    );
  const done = (made: HookMade) => {
    props.onDone(made);
    void client.invalidateQueries({ queryKey: keys.hooks(project.id) });
  };
  return (
    <div className="p-5">
      <Form action="Make the hook" save={save} onDone={done} onCancel={props.onCancel}>
        <Pick
          label="Forge"
          name="provider"
          options={Object.entries(FORGES)}
          defaultValue={guess(project.repo_url)}
          autoFocus
        />
        <Pick
          label="Environment"
          name="environment"
          options={environments.map(({ environment: { name } }) => [name, name] as const)}
          hint="Pushes to the branch it follows deploy it."
        />
      </Form>
    </div>
  );
}

const Handed = ({ of, onDone }: { of: Once; onDone: () => void }) => (
  <div className="p-5 text-[13px]">
    <p>
      {of.url
        ? WHERE[of.provider]
        : `Give ${FORGES[of.provider]} the new secret; the old one is refused.`}{" "}
      {of.url ? "Both are" : "It is"} shown this once.
    </p>
    {of.url && (
      <>
        <p className="mt-4 font-medium">Address</p>
        <Shown text={of.url} what="address" />
      </>
    )}
    <p className="mt-4 font-medium">Secret</p>
    <Shown text={of.secret} what="secret" />
    {of.note && <p className="mt-3 text-warn">{of.note}</p>}
    <div className="mt-5 flex justify-end">
      <Button variant="primary" onClick={onDone} autoFocus>
        I kept {of.url ? "them" : "it"}
      </Button>
    </div>
  </div>
);

function Row(props: {
  of: Hook;
  now: ProjectNow;
  refused: string | null;
  onRotated: (once: Once) => void;
}) {
  const { of, now, refused } = props;
  const [open, setOpen] = useState(false);
  const environment = now.environments.find(
    (one) => one.environment.name === of.environment,
  )?.environment;
  const name = `${FORGES[of.provider]}, ${of.environment}`;
  const about = { of, name, refused, project: now.project.id };
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
        <div className="min-w-0 flex-1 basis-56">
          <p className="truncate font-medium">
            {FORGES[of.provider]} <span aria-hidden>→</span> {of.environment}
          </p>
          <p className="text-xs text-muted">
            on a push to {environment?.branch ?? "the default branch"} · made{" "}
            <When at={of.created_at} />
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Button
            size="sm"
            onClick={() => setOpen(!open)}
            aria-expanded={open}
            aria-label={`${open ? "Hide" : "Show"} the deliveries of ${name}`}
          >
            {open ? "Hide" : "Deliveries"}
          </Button>
          <Rotate {...about} onRotated={props.onRotated} />
          <Remove {...about} />
        </div>
      </div>
      {environment && (
        <div className="px-5 pb-3">
          <AutoDeploy environment={environment} refused={refused} />
        </div>
      )}
      {open && <Deliveries project={now.project.id} hook={of.id} />}
    </div>
  );
}

interface About {
  of: Hook;
  name: string;
  project: string;
  refused: string | null;
}
const at = ({ of, project }: About) => ({
  params: { path: { project_id: project, hook_id: of.id } },
});

function Rotate(props: About & { onRotated: (once: Once) => void }) {
  const [asking, setAsking] = useState(false);
  const rotating = useMutation({
    mutationFn: () => data(http.POST("/projects/{project_id}/hooks/{hook_id}/rotate", at(props))),
    onSuccess: ({ secret }) => props.onRotated({ provider: props.of.provider, secret }),
    gcTime: 0,
  });
  return (
    <>
      <Button
        size="sm"
        refused={props.refused}
        onClick={() => setAsking(true)}
        aria-label={`New secret of ${props.name}`}
      >
        New secret
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Make a new secret?"
        action="Make a new secret"
        onConfirm={() => rotating.mutateAsync()}
      >
        What the forge signs with the old one is refused from now on. The address stays.
      </Confirm>
    </>
  );
}

function Remove(props: About) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    await http.DELETE("/projects/{project_id}/hooks/{hook_id}", at(props));
    await client.invalidateQueries({ queryKey: keys.hooks(props.project), exact: true });
  };
  return (
    <>
      <Button
        size="sm"
        refused={props.refused}
        onClick={() => setAsking(true)}
        aria-label={`Remove ${props.name}`}
      >
        Remove
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Remove this hook?"
        action="Remove the hook"
        onConfirm={remove}
      >
        Its address answers nobody any more, and its deliveries are forgotten. Remove it at the
        forge too.
      </Confirm>
    </>
  );
}
