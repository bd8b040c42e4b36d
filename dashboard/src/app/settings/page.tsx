import { Settings } from "@/features/accounts/settings";

export default function Page() {
  return <Settings />;
}
