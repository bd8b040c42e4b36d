import { CameBack } from "@/features/accounts/elsewhere";

export default function Page() {
  return <CameBack />;
}
