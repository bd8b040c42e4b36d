import { Activity } from "@/features/audit/page";

export default function Page() {
  return <Activity />;
}
