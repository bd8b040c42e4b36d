"use client";
import { useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useKnownProjects } from "@/features/projects/pages";
import { keys } from "@/lib/cache";
import { data, http, type Scope, type Token, type TokenMade } from "@/lib/http";
import { Button } from "@/ui/button";
import { Field, Pick } from "@/ui/field";
import { Confirm, Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Section, Skeleton, Tag } from "@/ui/surface";
import { text } from "./door";
import { Form } from "./form";
import { useTokens } from "./queries";
import { Shown } from "./security";

const scopes: [Scope, string][] = [
  ["read", "read: look at everything"],
  ["deploy", "deploy: also bring code out and back"],
  ["admin", "admin: all but your account"],
];
const lives: [string, string][] = [
  ["7", "a week"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["366", "a year"],
];

export function Tokens() {
  const list = useTokens();
  const rows = list.data?.items;
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<TokenMade | null>(null);
  return (
    <Section
      id="tokens"
      title="API tokens"
      note="For programs, in place of your password. Each has a scope and an end."
      action={
        !making &&
        !made && (
          <Button onClick={() => setMaking(true)}>
            <Plus aria-hidden />
            New token
          </Button>
        )
      }
    >
      <Card className="divide-y divide-line">
        {making && (
          <Make
            onDone={(token) => {
              setMaking(false);
              setMade(token);
            }}
            onCancel={() => setMaking(false)}
          />
        )}
        {made && <Made of={made} onDone={() => setMade(null)} />}
        {rows?.map((row) => (
          <Row key={row.id} of={row} />
        ))}
        {rows?.length === 0 && !making && <p className="px-5 py-4 text-muted">No tokens.</p>}
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

const create = (form: FormData) =>
  data(
    http.POST("/auth/tokens", {
      body: {
        name: text(form, "name"),
        scope: text(form, "scope") as Scope,
        project_id: text(form, "project") || null,
        days: Number(text(form, "days")),
      },
    }),
  );

function Make({ onDone, onCancel }: { onDone: (made: TokenMade) => void; onCancel: () => void }) {
  const client = useQueryClient();
  const projects = useKnownProjects().map(({ project }) => [project.id, project.name] as const);
  return (
    <div className="p-5">
      <Form
        action="Make the token"
        save={create}
        onDone={(made) => {
          onDone(made);
          void client.invalidateQueries({ queryKey: keys.tokens });
        }}
        onCancel={onCancel}
      >
        <Field
          label="Name"
          name="name"
          required
          maxLength={80}
          autoFocus
          autoComplete="off"
          placeholder="CI of the shop"
        />
        <Pick label="Scope" name="scope" options={scopes} />
        <Pick label="Project" name="project" options={[["", "all projects"], ...projects]} />
        <Pick label="Life" name="days" options={lives} defaultValue="90" />
      </Form>
    </div>
  );
}

const Made = ({ of, onDone }: { of: TokenMade; onDone: () => void }) => (
  <div className="p-5">
    <p>
      Copy <span className="font-medium [overflow-wrap:anywhere]">{of.name}</span> now: it is shown
      this once. Programs send it as <code className="font-mono">Authorization: Bearer</code>; the
      command takes it from <code className="font-mono">AUTOSTACK_TOKEN</code>.
    </p>
    <Shown text={of.token} what="token" />
    <div className="mt-5 flex justify-end">
      <Button variant="primary" onClick={onDone} autoFocus>
        I kept it
      </Button>
    </div>
  </div>
);

function Row({ of }: { of: Token }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const project = useKnownProjects().find((one) => one.project.id === of.project_id)?.project;
  const reach = of.project_id ? (project?.name ?? "one project") : "all projects";
  const revoke = async () => {
    await http.DELETE("/auth/tokens/{token_id}", { params: { path: { token_id: of.id } } });
    await client.invalidateQueries({ queryKey: keys.tokens });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex items-center gap-2 font-medium">
          <span className="truncate" title={of.name}>
            {of.name}
          </span>
          <Tag>{of.scope}</Tag>
        </p>
        <p className="text-xs text-muted [overflow-wrap:anywhere]">
          <span className="font-mono">{of.hint}…</span> · {reach} · ends <When at={of.expires_at} />{" "}
          · {of.used_at ? <Used at={of.used_at} from={of.used_from} /> : "never used"}
        </p>
      </div>
      <Button size="sm" onClick={() => setAsking(true)} aria-label={`Revoke ${of.name}`}>
        Revoke
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Revoke ${of.name}?`}
        action="Revoke"
        onConfirm={revoke}
      >
        Programs that use it are refused at once.
      </Confirm>
    </div>
  );
}

const Used = ({ at, from }: { at: string; from: string }) => (
  <>
    used <When at={at} />
    {from && ` from ${from}`}
  </>
);
