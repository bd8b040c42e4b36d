import { Users } from "@/features/administration/users";

export default function Page() {
  return <Users />;
}
