import { Teams } from "@/features/teams/teams";

export default function Page() {
  return <Teams />;
}
