"use client";
import { useQueryClient } from "@tanstack/react-query";
import { ChevronRight, Plus } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { text } from "@/features/accounts/door";
import { Form } from "@/features/accounts/form";
import { keys } from "@/lib/cache";
import { data, http, type Team } from "@/lib/http";
import { Button } from "@/ui/button";
import { Field } from "@/ui/field";
import { Problem } from "@/ui/overlay";
import { Card, Section, Skeleton, Tag } from "@/ui/surface";
import { teamPath, useTeams } from "./queries";

export function Teams() {
  const list = useTeams();
  const rows = list.data?.items;
  const [making, setMaking] = useState(false);
  return (
    <Section
      id="teams"
      title="Teams"
      note="They own projects. Yours alone is the personal one."
      action={
        !making && (
          <Button onClick={() => setMaking(true)}>
            <Plus aria-hidden />
            New team
          </Button>
        )
      }
    >
      <Card className="divide-y divide-line">
        {making && <Make onDone={() => setMaking(false)} />}
        {rows?.map((row) => (
          <Row key={row.id} of={row} />
        ))}
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

function Make({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const save = (form: FormData) =>
    data(http.POST("/teams", { body: { name: text(form, "name") } }));
  const done = () => {
    onDone();
    for (const queryKey of [keys.teams, keys.me]) void client.invalidateQueries({ queryKey });
  };
  return (
    <div className="p-5">
      <Form action="Make the team" save={save} onDone={done} onCancel={onDone}>
        <Field label="Name" name="name" required maxLength={80} autoFocus autoComplete="off" />
      </Form>
    </div>
  );
}

const Row = ({ of }: { of: Team }) => (
  <div className="relative flex items-center gap-3 px-5 py-3 hover:bg-hover/60">
    <Link
      href={teamPath(of.id)}
      prefetch={false}
      title={of.name}
      className="truncate font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
    >
      {of.name}
    </Link>
    <Tag>{of.personal ? "personal" : of.role}</Tag>
    <ChevronRight className="ml-auto size-4 text-faint" aria-hidden />
  </div>
);
