import { Password, SecondFactor } from "@/features/accounts/security";
import { Sessions } from "@/features/accounts/sessions";

export default function Page() {
  return (
    <>
      <Password />
      <SecondFactor />
      <Sessions />
    </>
  );
}
