"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { text } from "@/features/accounts/door";
import { Form } from "@/features/accounts/form";
import { useMe } from "@/features/accounts/queries";
import { useRefusal } from "@/features/teams/refusal";
import { keys } from "@/lib/cache";
import { plural } from "@/lib/format";
import { data, http, type Project, type ProjectNow } from "@/lib/http";
import { Button } from "@/ui/button";
import { Pick } from "@/ui/field";
import { Confirm, Dialog } from "@/ui/overlay";
import { Card, Section } from "@/ui/surface";
import { toast } from "@/ui/toast";
import { leaving } from "./queries";

const at = (project: Project) => ({ params: { path: { project_id: project.id } } });

export const Danger = ({ now }: { now: ProjectNow }) => (
  <Section id="danger" title="Danger zone">
    <Card className="divide-y divide-line border-bad/40">
      <Move project={now.project} />
      <Delete now={now} />
    </Card>
  </Section>
);

const line = "flex flex-wrap items-center justify-between gap-x-4 gap-y-3 p-5";
const note = "min-w-0 flex-1 basis-56 text-[13px] text-muted";

function Move({ project }: { project: Project }) {
  const client = useQueryClient();
  const teams = useMe().data?.teams ?? [];
  const [asking, setAsking] = useState(false);
  const owner = teams.find((team) => team.id === project.team_id);
  const refused = useRefusal(project.team_id)("manage");
  const others = teams.filter((team) => team.id !== project.team_id && team.role !== "viewer");
  const move = (form: FormData) =>
    data(
      http.POST("/projects/{project_id}/move", {
        ...at(project),
        body: { team_id: text(form, "team") },
      }),
    );
  const moved = async () => {
    await client.invalidateQueries({ queryKey: keys.project(project.id) });
    await client.invalidateQueries({ queryKey: keys.overview, exact: true });
    setAsking(false);
  };
  return (
    <div className={line}>
      <p className={note}>
        {owner ? `It belongs to ${owner.personal ? "you alone" : owner.name}.` : "\u00a0"}
        {!!teams.length && !others.length && " Make a team in your settings to move it there."}
      </p>
      <Button disabled={!others.length} refused={refused} onClick={() => setAsking(true)}>
        Move to another team…
      </Button>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title={`Move ${project.name}?`}
        note="It goes on as it runs. Who is in that team acts on it from now on, each in their role; who is not, no longer does. Its production is protected there, unless that is your personal team."
      >
        <div className="mt-5">
          <Form
            action="Move the project"
            save={move}
            onDone={() => void moved()}
            onCancel={() => setAsking(false)}
          >
            <Pick
              className="sm:col-span-2"
              label="Team"
              name="team"
              options={others.map((team) => [team.id, team.name] as const)}
            />
          </Form>
        </div>
      </Dialog>
    </div>
  );
}

function Delete({ now }: { now: ProjectNow }) {
  const { project } = now;
  const router = useRouter();
  const client = useQueryClient();
  const refused = useRefusal(project.team_id)("manage");
  const [asking, setAsking] = useState(false);
  const remove = async () => {
    leaving.add(project.id);
    try {
      // What is on its way would come too late.
      await client.cancelQueries({ queryKey: keys.project(project.id) });
      await http.DELETE("/projects/{project_id}", at(project));
    } catch (error) {
      leaving.delete(project.id);
      throw error;
    }
    await client.invalidateQueries({ queryKey: keys.overview, exact: true });
    toast(`${project.name} is being removed`, "ok");
    router.push("/");
  };
  useForgetting(project.id);
  return (
    <div className={line}>
      <p className={note}>End everything of this project and forget it.</p>
      <Button variant="danger" refused={refused} onClick={() => setAsking(true)}>
        Delete project…
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${project.name}?`}
        word={project.name}
        action="Delete project"
        onConfirm={remove}
      >
        Its {plural(now.environments.length, "environment")}, releases, variables and logs go with
        it, and its address stops answering. This cannot be undone.
      </Confirm>
    </div>
  );
}

/** The page is left behind: what it knew is forgotten only then, or it would ask for it again. */
function useForgetting(id: string) {
  const client = useQueryClient();
  useEffect(
    () => () => {
      if (leaving.delete(id)) client.removeQueries({ queryKey: keys.project(id) });
    },
    [client, id],
  );
}
