import { Register } from "@/features/accounts/door";

export default function Page() {
  return <Register />;
}
