import { SearchX } from "lucide-react";
import Link from "next/link";
import { buttonClass } from "@/ui/button";
import { Empty } from "@/ui/surface";

export default function NotFound() {
  return (
    <Empty
      alone
      icon={SearchX}
      title="This page does not exist"
      action={
        <Link href="/" className={buttonClass("primary")}>
          All projects
        </Link>
      }
    >
      The address may be mistyped, or what it named is gone.
    </Empty>
  );
}
