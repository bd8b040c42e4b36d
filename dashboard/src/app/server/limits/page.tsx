import { Limits } from "@/features/administration/limits";

export default function Page() {
  return <Limits />;
}
