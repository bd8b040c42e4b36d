import { Tokens } from "@/features/accounts/tokens";

export default function Page() {
  return <Tokens />;
}
