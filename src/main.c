/* main.c - wiring, nothing else. */
int main(void)
{
    return 2;
}
