import type { Audit } from "@/lib/http";

const word = (of: Audit, name: string): string => {
  const value = of.data[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

const FORGES: Record<string, string> = { github: "GitHub", gitlab: "GitLab", gitea: "Gitea" };
const forge = (of: Audit) => FORGES[word(of, "provider")] ?? word(of, "provider");

const ENDS: Record<string, string> = {
  success: "brought deployment # live",
  failed: "saw deployment # fail",
  canceled: "canceled deployment #",
  superseded: "saw deployment # give way to a newer one",
};

function ended(of: Audit): string {
  const words = ENDS[word(of, "status")] ?? "changed deployment #";
  return `${words.replace("#", `#${word(of, "number")}`)} in ${word(of, "environment")}`;
}

const names = (of: Audit) =>
  Array.isArray(of.data.names) ? of.data.names.join(", ") : "a variable";

type Sentence = string | ((of: Audit) => string);

/** What somebody did, to follow their name. The API leaves out steps on the way. */
const SENTENCES: Record<string, Sentence> = {
  "account.registered": "made an account",
  "account.signed_in": "signed in",
  "account.sign_in_failed": "failed to sign in",
  "account.session_ended": "signed out",
  "account.password_changed": "changed the password",
  "account.reset_requested": "asked for a letter to set a new password",
  "account.password_reset": "set a new password by a letter",
  "account.email_requested": "asked for another e-mail address",
  "account.email_changed": (of) => `changed the e-mail address from ${word(of, "from")}`,
  "account.second_factor_on": "turned the second factor on",
  "account.second_factor_off": (of) =>
    word(of, "member")
      ? `turned the second factor of ${word(of, "member")} off`
      : "turned the second factor off",
  "account.recovery_codes_made": "made new recovery codes",
  "account.identity_linked": (of) => `linked an account at ${forge(of)}`,
  "account.identity_removed": (of) => `unlinked the account at ${forge(of)}`,
  "account.unlocked": (of) =>
    word(of, "member")
      ? `unlocked ${word(of, "member")} after too many wrong passwords`
      : "was unlocked after too many wrong passwords",
  "account.removed": "closed the account",
  "token.created": (of) => `made the API token ${word(of, "name")} (${word(of, "scope")})`,
  "token.revoked": (of) => `revoked the API token ${word(of, "name")}`,
  "team.created": (of) => `made the team ${word(of, "name")}`,
  "team.renamed": (of) => `renamed a team to ${word(of, "name")}`,
  "team.removed": (of) => `deleted the team ${word(of, "name")}`,
  "team.invited": (of) => `invited ${word(of, "email")} as ${word(of, "role")}`,
  "team.invitation_revoked": (of) => `took the invitation of ${word(of, "email")} back`,
  "team.member_joined": (of) => `joined the team as ${word(of, "role")}`,
  "team.member_changed": (of) => `made ${word(of, "member")} ${word(of, "role")}`,
  "team.member_removed": (of) => `removed ${word(of, "member")} from the team`,
  "team.member_left": "left the team",
  "team.service_account_created": (of) => `made the service account ${word(of, "member")}`,
  "project.created": "made the project",
  "project.updated": "changed the settings",
  "project.moved": "moved the project to another team",
  "project.removed": "deleted the project",
  "project.credential": "changed how the repository is read",
  "environment.created": (of) => `made the environment ${word(of, "environment")}`,
  "environment.changed": (of) => `changed the environment ${word(of, "environment")}`,
  "environment.paused": (of) => `paused auto-deploy of ${word(of, "environment")} with a rollback`,
  "environment.removed": (of) => `removed the environment ${word(of, "environment")}`,
  "variables.changed": (of) => `changed ${names(of)} in ${word(of, "environment")}`,
  "variables.revoked": (of) => `revoked ${names(of)} in ${word(of, "environment")}`,
  "hook.created": (of) => `made a push hook for ${forge(of)}`,
  "hook.rotated": (of) => `made a new secret for the push hook of ${forge(of)}`,
  "hook.removed": (of) => `removed the push hook of ${forge(of)}`,
  "release.removed": "let old releases go, for want of disk space",
  "deployment.requested": (of) =>
    `asked for deployment #${word(of, "number")} to ${word(of, "environment")}`,
  "deployment.status": ended,
  "run.requested": (of) => `ran a command in ${word(of, "environment")}`,
};

/** What is not known here is still told, by its kind. */
export function told(of: Audit): string {
  const found = SENTENCES[of.kind];
  if (found === undefined) return of.kind.replaceAll(/[._]/g, " ");
  return typeof found === "string" ? found : found(of);
}

export const who = (of: Audit): string => {
  if (of.actor) return of.actor;
  return of.actor_id ? "Somebody whose account is gone" : "AutoStack";
};

export const KINDS: [string, string][] = [
  ["", "everything"],
  ["deployment.", "deployments"],
  ["project.", "projects"],
  ["environment.", "environments"],
  ["variables.", "variables"],
  ["hook.", "push hooks"],
  ["run.", "commands"],
  ["team.", "teams"],
  ["account.", "accounts and sign-ins"],
  ["token.", "API tokens"],
];

export const SPANS: [string, string][] = [
  ["", "any time"],
  ["1", "the last day"],
  ["7", "the last week"],
  ["30", "the last 30 days"],
];
