import { ResetPassword } from "@/features/accounts/letters";

export default function Page() {
  return <ResetPassword />;
}
