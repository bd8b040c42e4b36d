import { Invitation } from "@/features/teams/invitation";

export default function Page() {
  return <Invitation />;
}
