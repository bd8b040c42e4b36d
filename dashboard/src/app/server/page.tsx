import { Server } from "@/features/disk/page";

export default function Page() {
  return <Server />;
}
