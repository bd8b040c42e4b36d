import { About } from "@/features/accounts/about";

export default function Page() {
  return <About />;
}
