import { useQuery } from "@tanstack/react-query";
import { keys } from "@/lib/cache";
import { data, http, type Role } from "@/lib/http";

export const ROLES: [Role, string][] = [
  ["developer", "developer: deploys, but not to protected environments"],
  ["viewer", "viewer: looks"],
  ["admin", "admin: also settings, members, production"],
  ["owner", "owner: all, also the team itself"],
];

export const rules = (role: Role) => role === "admin" || role === "owner";

export const teamPath = (id: string) => `/settings/teams/${id}`;

export const useTeams = () =>
  useQuery({ queryKey: keys.teams, queryFn: () => data(http.GET("/teams")) });

const path = (team_id: string) => ({ params: { path: { team_id } } });

export const useMembers = (team: string) =>
  useQuery({
    queryKey: keys.members(team),
    queryFn: () => data(http.GET("/teams/{team_id}/members", path(team))),
  });

export const useInvitations = (team: string, enabled: boolean) =>
  useQuery({
    queryKey: keys.invitations(team),
    queryFn: () => data(http.GET("/teams/{team_id}/invitations", path(team))),
    enabled,
  });
