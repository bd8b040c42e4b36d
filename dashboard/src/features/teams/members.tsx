"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { text } from "@/features/accounts/door";
import { Form } from "@/features/accounts/form";
import { useMe } from "@/features/accounts/queries";
import { Shown } from "@/features/accounts/security";
import { failed } from "@/features/deployments/queries";
import { keys } from "@/lib/cache";
import {
  data,
  http,
  type Invitation,
  type InvitationMade,
  type Member,
  type Role,
  type OwnTeam,
} from "@/lib/http";
import { Button } from "@/ui/button";
import { Field, Pick } from "@/ui/field";
import { Confirm, Problem } from "@/ui/overlay";
import { When } from "@/ui/small";
import { Card, Skeleton, Tag } from "@/ui/surface";
import { ROLES, rules, useInvitations, useMembers } from "./queries";

export function Members({ team }: { team: OwnTeam }) {
  const list = useMembers(team.id);
  const invitations = useInvitations(team.id, rules(team.role)).data?.items;
  return (
    <Card className="divide-y divide-line">
      {list.data?.items.map((row) => (
        <Row key={row.user_id} of={row} team={team} />
      ))}
      {!list.data && !list.error && <Skeleton className="m-5 h-9" />}
      <Problem error={list.error} />
      {invitations?.map((row) => (
        <Open key={row.id} of={row} team={team} />
      ))}
      {rules(team.role) && <Invite team={team} />}
    </Card>
  );
}

const at = (team: OwnTeam, user_id: string) => ({
  params: { path: { team_id: team.id, user_id } },
});

function Row({ of, team }: { of: Member; team: OwnTeam }) {
  const client = useQueryClient();
  const router = useRouter();
  const me = useMe().data?.id === of.user_id;
  const [asking, setAsking] = useState(false);
  const changes = team.role === "owner" || (rules(team.role) && of.role !== "owner");
  const known = () => client.invalidateQueries({ queryKey: keys.members(team.id) });
  const change = async (role: Role) => {
    try {
      await http.PATCH("/teams/{team_id}/members/{user_id}", {
        ...at(team, of.user_id),
        body: { role },
      });
    } catch (error) {
      failed(error as Error);
    }
    await known();
  };
  const end = async () => {
    if (me) return leave();
    await http.DELETE("/teams/{team_id}/members/{user_id}", at(team, of.user_id));
    await known();
  };
  /** What this page shows is not there any more: it is left before anything is asked for anew. */
  const leave = async () => {
    await http.POST("/teams/{team_id}/leave", { params: { path: { team_id: team.id } } });
    await client.invalidateQueries({ refetchType: "none" });
    router.push("/settings/teams");
    await client.invalidateQueries({ queryKey: keys.me });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <p className="flex min-w-0 flex-1 basis-48 items-center gap-2">
        <span className="truncate" title={of.email}>
          {of.email}
        </span>
        {of.service && <Tag>program</Tag>}
        {me && <Tag>you</Tag>}
      </p>
      {changes && !me ? (
        <Pick
          label={`Role of ${of.email}`}
          options={ROLES.filter(([role]) => fits(role, of, team)).map(([role]) => [role, role])}
          value={of.role}
          onChange={(event) => void change(event.target.value as Role)}
        />
      ) : (
        <Tag>{of.role}</Tag>
      )}
      {(changes || me) && (
        <Button
          size="sm"
          onClick={() => setAsking(true)}
          aria-label={me ? `Leave ${team.name}` : `Remove ${of.email}`}
        >
          {me ? "Leave" : "Remove"}
        </Button>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={me ? `Leave ${team.name}?` : `Remove ${of.email}?`}
        action={me ? "Leave" : "Remove"}
        onConfirm={end}
      >
        {of.service
          ? "Its tokens are refused at once."
          : "The projects of the team are out of reach at once, for tokens too."}
      </Confirm>
    </div>
  );
}

/** Owners are made by owners; a program is a developer at most. */
const fits = (role: Role, of: Member, team: OwnTeam) =>
  of.service ? !rules(role) : role !== "owner" || team.role === "owner";

function Open({ of, team }: { of: Invitation; team: OwnTeam }) {
  const client = useQueryClient();
  const revoke = async () => {
    try {
      await http.DELETE("/teams/{team_id}/invitations/{invitation_id}", {
        params: { path: { team_id: team.id, invitation_id: of.id } },
      });
    } catch (error) {
      failed(error as Error);
    }
    await client.invalidateQueries({ queryKey: keys.invitations(team.id) });
  };
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3">
      <div className="min-w-0 flex-1 basis-48">
        <p className="truncate" title={of.email}>
          {of.email}
        </p>
        <p className="text-xs text-muted">
          invited as {of.role} · until <When at={of.expires_at} />
        </p>
      </div>
      <Button size="sm" onClick={() => void revoke()} aria-label={`Revoke it for ${of.email}`}>
        Revoke
      </Button>
    </div>
  );
}

function Invite({ team }: { team: OwnTeam }) {
  const client = useQueryClient();
  const [made, setMade] = useState<InvitationMade | null>(null);
  const save = (form: FormData) =>
    data(
      http.POST("/teams/{team_id}/invitations", {
        params: { path: { team_id: team.id } },
        body: { email: text(form, "email"), role: text(form, "role") as Role },
      }),
    );
  const done = (one: InvitationMade) => {
    setMade(one);
    void client.invalidateQueries({ queryKey: keys.invitations(team.id) });
  };
  if (made) return <Made of={made} onDone={() => setMade(null)} />;
  const roles = ROLES.filter(([role]) => role !== "owner" || team.role === "owner");
  return (
    <div className="p-5">
      <Form action="Invite" save={save} onDone={done}>
        <Field
          label="E-mail of whom to invite"
          name="email"
          type="email"
          required
          autoComplete="off"
        />
        <Pick label="Role" name="role" options={roles} />
      </Form>
    </div>
  );
}

const Made = ({ of, onDone }: { of: InvitationMade; onDone: () => void }) => (
  <div className="p-5">
    <p>
      This link lets <span className="font-medium [overflow-wrap:anywhere]">{of.email}</span> in. It
      is shown this once, and good once.{" "}
      {of.mailed ? "A letter goes there too." : "Hand it on yourself."}
    </p>
    <Shown text={of.link} what="link" />
    <div className="mt-5 flex justify-end">
      <Button variant="primary" onClick={onDone} autoFocus>
        I kept it
      </Button>
    </div>
  </div>
);
