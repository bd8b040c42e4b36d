import { ForgotPassword } from "@/features/accounts/letters";

export default function Page() {
  return <ForgotPassword />;
}
