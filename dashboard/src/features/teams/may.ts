import type { Environment, OwnTeam, Role } from "@/lib/http";

/**
 * `act` on an environment: deploy, roll back, scale, stop, set variables. `add` an environment.
 * `manage` a project: its settings, hooks and end.
 */
export type Deed = "act" | "add" | "manage";
export type Where = Pick<Environment, "name" | "protected">;

const RISING: Role[] = ["viewer", "developer", "admin", "owner"];
const LEAST: Record<Deed, Role> = { act: "developer", add: "developer", manage: "admin" };
const DOES: Record<Deed, string> = {
  act: "developers and admins act on its environments",
  add: "developers and admins add environments",
  manage: "admins change how its projects are set up",
};

const reaches = (role: Role, least: Role) => RISING.indexOf(role) >= RISING.indexOf(least);

/**
 * Why somebody of this team may not do it, in words; null where they may. It keeps from people what
 * would be refused: the API decides, by features/teams/roles.py.
 */
export function refusal(team: OwnTeam, deed: Deed, where?: Where): string | null {
  if (!reaches(team.role, LEAST[deed]))
    return `You are ${team.role} of ${team.name}: ${DOES[deed]}.`;
  if (deed === "act" && where?.protected && !reaches(team.role, "admin"))
    return `${where.name} is protected: you are ${team.role} of ${team.name}, and its admins act there.`;
  return null;
}
