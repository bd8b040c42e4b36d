import { useMe } from "@/features/accounts/queries";
import { refusal, type Deed, type Where } from "./may";

/** What the reader may not do to a project of this team, and why. Until it is known, anything. */
export function useRefusal(team_id?: string) {
  const team = useMe().data?.teams.find((one) => one.id === team_id);
  return (deed: Deed, where?: Where) => (team ? refusal(team, deed, where) : null);
}
