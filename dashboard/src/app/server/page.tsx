import { DiskPage } from "@/features/disk/page";

export default function Page() {
  return <DiskPage />;
}
