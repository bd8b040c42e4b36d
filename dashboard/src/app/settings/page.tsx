import { Linked } from "@/features/accounts/elsewhere";
import { Appearance, Profile } from "@/features/accounts/profile";

export default function Page() {
  return (
    <>
      <Profile />
      <Linked />
      <Appearance />
    </>
  );
}
