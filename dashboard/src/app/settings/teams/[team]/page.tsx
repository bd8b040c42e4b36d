import { TeamPage } from "@/features/teams/team";

// One exported page answers every id; see lib/route.ts.
export const generateStaticParams = () => [{ team: "_" }];

export default function Page() {
  return <TeamPage />;
}
