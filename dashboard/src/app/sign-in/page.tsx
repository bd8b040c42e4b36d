import { SignIn } from "@/features/accounts/door";

export default function Page() {
  return <SignIn />;
}
