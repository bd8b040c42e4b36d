import { ConfirmEmail } from "@/features/accounts/letters";

export default function Page() {
  return <ConfirmEmail />;
}
